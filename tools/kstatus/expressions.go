package main

import (
	"context"
	"fmt"
	"os"

	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// expressions are the health checks that we give to users of Flux, by kind, in Flux's own evaluator.
type expressions map[string]*cel.StatusEvaluator

// readExpressions takes them out of a Kustomization.
func readExpressions(path string) (expressions, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the expressions: %w", err)
	}
	var kustomization struct {
		Spec struct {
			HealthCheckExprs []kustomize.CustomHealthCheck `json:"healthCheckExprs"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(text, &kustomization); err != nil {
		return nil, fmt.Errorf("parse the expressions in %s: %w", path, err)
	}
	all := expressions{}
	for _, check := range kustomization.Spec.HealthCheckExprs {
		evaluator, err := cel.NewStatusEvaluator(&check.HealthCheckExpressions)
		if err != nil {
			return nil, fmt.Errorf("read the expressions for %s: %w", check.Kind, err)
		}
		all[check.Kind] = evaluator
	}
	return all, nil
}

// check compares their verdict with that of kstatus. They are not asked about what is being deleted.
func (e expressions) check(object *unstructured.Unstructured, verdict string) error {
	if object.GetDeletionTimestamp() != nil {
		return nil
	}
	evaluator, found := e[object.GetKind()]
	if !found {
		return fmt.Errorf("no expression is about %s", object.GetKind())
	}
	says, err := evaluator.Evaluate(context.Background(), object)
	if err != nil {
		return fmt.Errorf("evaluate the expressions: %w", err)
	}
	if string(says.Status) != verdict {
		return fmt.Errorf("kstatus says %s, the expressions for Flux say %s", verdict, says.Status)
	}
	return nil
}
