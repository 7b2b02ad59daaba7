//! helm's own linter, in its strict form.

use avnm_chart::{matrix, rendered};
use avnm_launcher::Helm;

use crate::helm;

#[test]
fn strict_lint_has_nothing_to_say_of_any_values() {
    let chart = Helm::chart().display().to_string();
    for row in matrix::rows() {
        let file = rendered::values_file(&row.values).unwrap();
        let values = file.display().to_string();
        let said = helm().run(&[
            "lint",
            "--strict",
            &chart,
            "--namespace",
            rendered::NAMESPACE,
            "--values",
            &values,
        ]);
        std::fs::remove_file(&file).unwrap();
        let said = said.unwrap_or_else(|error| panic!("{}: {error:#}", row.name));
        assert!(!said.contains("[WARNING]") && !said.contains("[ERROR]"), "{}: {said}", row.name);
    }
}
