package customizations

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/gitops-engine/pkg/health"
)

// overrides reads the patch of argocd-cm as Argo CD's settings do.
func overrides(t *testing.T) map[string]v1alpha1.ResourceOverride {
	var patch corev1.ConfigMap
	decode(t, "../../../deploy/argocd/argocd-cm-patch.yaml", &patch)
	all := map[string]v1alpha1.ResourceOverride{}
	for key, value := range patch.Data {
		kind, found := strings.CutPrefix(key, "resource.customizations.health.")
		if !found {
			continue
		}
		kind = strings.Replace(kind, "_", "/", 1)
		override := all[kind]
		override.HealthLua = value
		override.Actions = patch.Data[strings.Replace(key, ".health.", ".actions.", 1)]
		all[kind] = override
	}
	require.NotEmpty(t, all)
	return all
}

// TestActionsOfThePatch: the actions of argocd-cm are found by their names, as the folders have them.
func TestActionsOfThePatch(t *testing.T) {
	vm := lua.VM{ResourceOverrides: overrides(t)}
	for kind, override := range vm.ResourceOverrides {
		var actions v1alpha1.ResourceActions
		require.NoError(t, yaml.UnmarshalStrict([]byte(override.Actions), &actions), kind)
		object := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "avnm.dev/v1alpha1", "kind": strings.TrimPrefix(kind, "avnm.dev/"),
			"metadata": map[string]any{"name": "any"}, "spec": map[string]any{},
		}}
		discovery, err := vm.GetResourceActionDiscovery(object)
		require.NoError(t, err, kind)
		offered, err := vm.ExecuteResourceActionDiscovery(object, discovery)
		require.NoError(t, err, kind)
		assert.Len(t, offered, len(actions.Definitions), kind)
		for _, one := range offered {
			_, err := vm.GetResourceAction(object, one.Name)
			assert.NoError(t, err, "%s %s", kind, one.Name)
		}
	}
}

// TestRecorded judges what the scenarios recorded, with the scripts in argocd-cm and through Argo CD's own way to them.
func TestRecorded(t *testing.T) {
	path := os.Getenv("AVNM_RECORD")
	if path == "" {
		t.Skip("AVNM_RECORD names no file that `scenarios --record` wrote")
	}
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	vm := lua.ResourceHealthOverrides(overrides(t))
	seen := map[health.HealthStatusCode]int{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		object := &unstructured.Unstructured{}
		require.NoError(t, object.UnmarshalJSON(lines.Bytes()))
		is, err := health.GetResourceHealth(object, vm)
		require.NoError(t, err, lines.Text())
		require.NotNil(t, is, lines.Text())
		assert.Equal(t, expected(object), is.Status, lines.Text())
		assert.NotEmpty(t, is.Message, lines.Text())
		seen[is.Status]++
	}
	require.NoError(t, lines.Err())
	t.Logf("judged: %v", seen)
	for _, status := range []health.HealthStatusCode{health.HealthStatusHealthy, health.HealthStatusProgressing, health.HealthStatusDegraded, health.HealthStatusSuspended} {
		assert.NotZero(t, seen[status], "nothing recorded is %s", status)
	}
}

// expected is the agreement: waiting is no fault, and Stalled is one.
func expected(object *unstructured.Unstructured) health.HealthStatusCode {
	observed, _, _ := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
	if object.GetDeletionTimestamp() != nil || observed != object.GetGeneration() {
		return health.HealthStatusProgressing
	}
	if suspend, _, _ := unstructured.NestedBool(object.Object, "spec", "suspend"); suspend {
		return health.HealthStatusSuspended
	}
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	status := health.HealthStatusProgressing
	for _, one := range conditions {
		condition := one.(map[string]any)
		switch {
		case condition["type"] == "Stalled" && condition["status"] == "True":
			return health.HealthStatusDegraded
		case condition["type"] == "Ready" && condition["status"] == "True":
			status = health.HealthStatusHealthy
		}
	}
	return status
}

func decode(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, yaml.UnmarshalStrict(text, into), path)
}
