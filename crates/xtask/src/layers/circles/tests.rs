use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// A crate of these files, and the circles in it: each the places of one.
fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("avnm-circles-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let src = std::env::temp_dir().join(name);
    for (file, text) in files {
        let file: PathBuf = src.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let circles = circles(&src);
    fs::remove_dir_all(&src).unwrap();
    circles.unwrap().into_iter().map(|circle| circle.places).collect()
}

const TWO: &str = "mod a; mod b;";

/// Both between the files and between what lies beside each other.
fn both() -> Vec<Vec<String>> {
    vec![vec!["a.rs".to_owned(), "b.rs".to_owned()], vec!["a".to_owned(), "b".to_owned()]]
}

#[test]
fn two_that_need_each_other_are_a_circle_however_it_is_written() {
    for back in [
        "use crate::a::A;",
        "use super::a::A;",
        "use super::{a::A as Other};",
        "use crate::a; fn f() { a::f() }",
        "fn f() { crate::a::f() }",
        "fn f() -> super::a::A { loop {} }",
        "fn f() { format!(\"{}\", super::a::f()) }",
        "use super::a::*;",
        "#[derive(crate::a::Derive)] struct S;",
        "fn f() { use crate::a::A; }",
        "#[cfg(not(test))] use crate::a::A;",
    ] {
        let b = format!("pub struct B; {back}");
        let files = [("lib.rs", TWO), ("a.rs", "use crate::b::B; pub struct A; pub fn f() {}"), ("b.rs", &b)];
        assert_eq!(circles_of(&files), both(), "{back}");
    }
}

#[test]
fn what_is_for_tests_or_only_said_is_none() {
    for back in [
        "#[cfg(test)] mod tests { use crate::a::A; }",
        "#[cfg(test)] pub(crate) use crate::a::A;",
        "#[cfg(test)] impl B { fn f() -> crate::a::A { loop {} } }",
        "#[cfg(all(test, unix))] fn f(a: u8, b: u8) { crate::a::f() }",
        "struct B { #[cfg(test)] field: crate::a::A, other: u8 }",
        "/// Like [`crate::a::A`].\npub struct B;",
        "fn f() -> &'static str { \"crate::a::A\" }",
        "// use crate::a::A;",
        "pub(in crate::a::deep) fn f() {}",
        "use crate::a; fn f(a: u8) {}",
        "fn f(it: It) { it.a::<u8>() }",
        "use other::a::A; fn f() { ::crate_of_another::a::f() }",
    ] {
        let files =
            [("lib.rs", TWO), ("a.rs", "use crate::b::B; pub struct A; pub fn f() {}"), ("b.rs", back)];
        assert_eq!(circles_of(&files), Vec::<Vec<String>>::new(), "{back}");
    }
    // What comes behind is read on.
    let back = "#[cfg(test)] const N: u8 = { 1 }; #[cfg(test)] #[allow(x)] fn t() {} use crate::a::A;";
    let files = [("lib.rs", TWO), ("a.rs", "use crate::b::B; pub struct A;"), ("b.rs", back)];
    assert_eq!(circles_of(&files), both());
}

/// Everyone takes names from the root, and the root takes them from everyone: that alone is no circle.
#[test]
fn a_name_is_followed_to_where_it_is_defined() {
    let lib = "mod a; mod b; mod c; pub use a::A; pub use b::*; pub use c::C as D; pub use serde::Value;";
    let files = [
        ("lib.rs", lib),
        ("a.rs", "use crate::{B, D, Value}; pub struct A;"),
        ("b.rs", "use crate::D; pub struct B;"),
        ("c.rs", "pub struct C;"),
    ];
    assert_eq!(circles_of(&files), Vec::<Vec<String>>::new());
    let files = [
        ("lib.rs", lib),
        ("a.rs", "use crate::B; pub struct A;"),
        ("b.rs", "use crate::A; pub struct B;"),
        ("c.rs", ""),
    ];
    assert_eq!(circles_of(&files), both());
}

#[test]
fn a_folders_own_file_and_what_lies_in_it_are_a_circle() {
    let files = [
        ("lib.rs", "mod a;"),
        ("a/mod.rs", "mod b; pub struct A; fn f() { b::f() }"),
        ("a/b.rs", "use super::A; pub fn f() {}"),
    ];
    assert_eq!(circles_of(&files), [["a/b.rs", "a/mod.rs"]]);
    // What the folder's file only hands on is not its own.
    let files = [
        ("lib.rs", "mod a;"),
        ("a/mod.rs", "mod b; mod c; pub use c::A; fn f() { b::f() }"),
        ("a/b.rs", "use super::A; pub fn f() {}"),
        ("a/c.rs", "pub struct A;"),
    ];
    assert_eq!(circles_of(&files), Vec::<Vec<String>>::new());
}

#[test]
fn two_folders_are_a_circle_by_different_files() {
    let files = [
        ("lib.rs", TWO),
        ("a.rs", "mod one; mod two;"),
        ("a/one.rs", "use crate::b::one::B;"),
        ("a/two.rs", "pub struct A;"),
        ("b.rs", "pub mod one; mod two;"),
        ("b/one.rs", "pub struct B;"),
        ("b/two.rs", "use crate::a::two::A;"),
    ];
    assert_eq!(circles_of(&files), [["a", "b"]]);
}

#[test]
fn a_circle_is_told_with_what_makes_it() {
    let edge =
        |from: &str, to: &str| Edge { from: from.into(), to: to.into(), example: format!("{from}:1 x") };
    let edges =
        [edge("a", "b"), edge("b", "c"), edge("c", "a"), edge("c", "d"), edge("e", "a"), edge("d", "d")];
    let circles = find(edges.into_iter());
    assert_eq!(circles.len(), 1);
    let told = circles[0].to_string();
    assert_eq!(told, "a <-> b <-> c\n    a -> b: a:1 x\n    b -> c: b:1 x\n    c -> a: c:1 x");
}
