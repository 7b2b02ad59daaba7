// Package main judges recorded states of our objects with kstatus, by which Flux, Helm and others wait for objects, and
// compares its verdicts with the table of reasons that the project agreed on.
//
// usage: kstatus RECORD REASONS EXPRESSIONS
//
// RECORD has one object as JSON a line, as `scenarios --record FILE` writes it. REASONS is docs/reference/reasons.md,
// EXPRESSIONS deploy/flux/health-check-exprs.yaml.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	flux "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	original "sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: kstatus RECORD REASONS EXPRESSIONS")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(record, reasons, exprs string) error {
	table, err := readTable(reasons)
	if err != nil {
		return err
	}
	expressions, err := readExpressions(exprs)
	if err != nil {
		return err
	}
	objects, err := readRecord(record)
	if err != nil {
		return err
	}
	faults := 0
	seen := newSeen()
	for _, object := range objects {
		verdict, err := judge(object)
		if err == nil {
			err = table.check(object, verdict)
		}
		if err == nil {
			err = expressions.check(object, verdict)
		}
		if err != nil {
			faults++
			text, _ := json.MarshalIndent(object, "", "  ")
			fmt.Printf("%s %s/%s: %v\n%s\n", object.GetKind(), object.GetNamespace(), object.GetName(), err, text)
		}
		seen.add(object, verdict)
	}
	missing := seen.missing()
	for _, one := range missing {
		fmt.Println("never recorded:", one)
	}
	fmt.Print(seen.summary())
	fmt.Printf("%d states judged, %d judged otherwise than agreed, %d kinds of state never recorded\n",
		len(objects), faults, len(missing))
	if faults+len(missing) > 0 {
		return fmt.Errorf("kstatus does not judge our objects as agreed")
	}
	return nil
}

// judge asks both libraries: Flux's and Helm's fork, and the one that it comes from.
func judge(object *unstructured.Unstructured) (string, error) {
	ours, err := flux.Compute(object)
	if err != nil {
		return "", fmt.Errorf("compute Flux's kstatus: %w", err)
	}
	theirs, err := original.Compute(object)
	if err != nil {
		return "", fmt.Errorf("compute kstatus: %w", err)
	}
	if string(ours.Status) != string(theirs.Status) {
		return "", fmt.Errorf("Flux's kstatus says %s, the original says %s", ours.Status, theirs.Status)
	}
	return string(ours.Status), nil
}

func readRecord(path string) ([]*unstructured.Unstructured, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the record: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 4<<20)
	var objects []*unstructured.Unstructured
	for lines.Scan() {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(lines.Bytes()); err != nil {
			return nil, fmt.Errorf("read line %d of %s: %w", len(objects)+1, path, err)
		}
		objects = append(objects, object)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return objects, nil
}
