package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// required is what the record must have of each kind, so that a record of nothing passes nothing. A credential fails only
// after ten minutes, for which no scenario waits.
var required = map[string][]string{
	"CrossTenantConnection":   {inProgress, current, failed, terminating},
	"StaticMember":            {inProgress, current, failed, terminating},
	"TenantCredential":        {inProgress, current, terminating},
	"ClusterTenantCredential": {inProgress, current},
}

// seen counts verdicts by kind, and keeps the reasons.
type seen struct {
	verdicts map[string]map[string]int
	reasons  map[string]bool
	unseen   int
}

func newSeen() *seen {
	return &seen{verdicts: map[string]map[string]int{}, reasons: map[string]bool{}}
}

func (s *seen) add(object *unstructured.Unstructured, verdict string) {
	kind := object.GetKind()
	if s.verdicts[kind] == nil {
		s.verdicts[kind] = map[string]int{}
	}
	s.verdicts[kind][verdict]++
	if reason := conditions(object)["Ready"].reason; reason != "" {
		s.reasons[reason] = true
	}
	if observed, _, _ := unstructured.NestedInt64(object.Object, "status", "observedGeneration"); observed == -1 {
		s.unseen++
	}
}

func (s *seen) missing() []string {
	var missing []string
	for _, kind := range slices.Sorted(maps.Keys(required)) {
		for _, verdict := range required[kind] {
			if s.verdicts[kind][verdict] == 0 {
				missing = append(missing, kind+" "+verdict)
			}
		}
	}
	if s.unseen == 0 {
		missing = append(missing, "an object that was never looked at")
	}
	return missing
}

func (s *seen) summary() string {
	var text strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(s.verdicts)) {
		fmt.Fprintf(&text, "%s:", kind)
		for _, verdict := range slices.Sorted(maps.Keys(s.verdicts[kind])) {
			fmt.Fprintf(&text, " %d %s", s.verdicts[kind][verdict], verdict)
		}
		fmt.Fprintln(&text)
	}
	fmt.Fprintf(&text, "reasons: %s\n", strings.Join(slices.Sorted(maps.Keys(s.reasons)), ", "))
	return text.String()
}
