package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	flux "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

var (
	current     = flux.CurrentStatus.String()
	inProgress  = flux.InProgressStatus.String()
	failed      = flux.FailedStatus.String()
	terminating = flux.TerminatingStatus.String()
)

// table says for each reason of Ready what kstatus may make of it.
type table map[string][]string

// readTable takes the columns Ready, Reconciling and Stalled of the generated table. One reason may have two rows.
func readTable(path string) (table, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the reasons: %w", err)
	}
	rows := table{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 10 || strings.Count(cells[2], "`") != 2 {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		// A link to what is to be done: the reason is its text.
		reason := strings.Split(cells[2], "`")[1]
		verdicts, err := verdicts(cells[3], cells[4], cells[5])
		if err != nil {
			return nil, fmt.Errorf("read the reason %s: %w", reason, err)
		}
		rows[reason] = append(rows[reason], verdicts...)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("find no reason in %s", path)
	}
	return rows, nil
}

func verdicts(ready, reconciling, stalled string) ([]string, error) {
	switch {
	case ready == "as it was":
		return []string{current, inProgress}, nil
	case ready == "True" && reconciling == "" && stalled == "":
		return []string{current}, nil
	case ready == "False" && reconciling == "True" && stalled == "":
		return []string{inProgress}, nil
	case ready == "False" && reconciling == "" && stalled == "True":
		return []string{failed}, nil
	case ready == "False" && strings.HasPrefix(reconciling, "the first") && stalled == "then":
		return []string{inProgress, failed}, nil
	case ready == "False" && reconciling == "" && stalled == "":
		return []string{inProgress}, nil
	}
	return nil, fmt.Errorf("no rule for Ready %q, Reconciling %q, Stalled %q", ready, reconciling, stalled)
}

// check compares a verdict with what was agreed for the object's reason.
func (t table) check(object *unstructured.Unstructured, verdict string) error {
	expected, why, err := t.expected(object)
	if err != nil {
		return err
	}
	if !slices.Contains(expected, verdict) {
		return fmt.Errorf("kstatus says %s, agreed for %s is %s", verdict, why, strings.Join(expected, " or "))
	}
	return nil
}

func (t table) expected(object *unstructured.Unstructured) ([]string, string, error) {
	if object.GetDeletionTimestamp() != nil {
		return []string{terminating}, "an object that is being deleted", nil
	}
	observed, found, err := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
	if err != nil || !found {
		return nil, "", fmt.Errorf("status.observedGeneration is not there: kstatus would call it Current")
	}
	if observed != object.GetGeneration() {
		return []string{inProgress}, "a generation that was not looked at", nil
	}
	is := conditions(object)
	if is["Reconciling"].status == "True" && is["Stalled"].status == "True" {
		return nil, "", fmt.Errorf("both Reconciling and Stalled are True")
	}
	for _, only := range []string{"Reconciling", "Stalled"} {
		if one, found := is[only]; found && one.status != "True" {
			return nil, "", fmt.Errorf("%s is there and %s", only, one.status)
		}
	}
	if is["Suspended"].status == "True" {
		return []string{current, inProgress}, "a suspended object", nil
	}
	reason := is["Ready"].reason
	agreed, found := t[reason]
	if !found {
		return nil, "", fmt.Errorf("the reason %q of Ready is not in the table", reason)
	}
	return agreed, reason, nil
}

type condition struct{ status, reason string }

func conditions(object *unstructured.Unstructured) map[string]condition {
	all, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	is := map[string]condition{}
	for _, one := range all {
		fields, ok := one.(map[string]any)
		if !ok {
			continue
		}
		text := func(name string) string { s, _ := fields[name].(string); return s }
		is[text("type")] = condition{text("status"), text("reason")}
	}
	return is
}
