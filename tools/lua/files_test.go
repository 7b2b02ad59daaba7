package lua

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// root is where the folders lie as Argo CD keeps them.
const root = "../../deploy/argocd/resource_customizations/avnm.dev"

// healthStatus is what a health check says.
type healthStatus struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// healthTests is a health_test.yaml of Argo CD's.
type healthTests struct {
	Tests []struct {
		InputPath    string       `json:"inputPath"`
		HealthStatus healthStatus `json:"healthStatus"`
	} `json:"tests"`
}

// action is one that is offered.
type action struct {
	Name        string `json:"name"`
	Disabled    bool   `json:"disabled"`
	DisplayName string `json:"displayName"`
	IconClass   string `json:"iconClass"`
}

// actionTests is an action_test.yaml of Argo CD's.
type actionTests struct {
	DiscoveryTests []struct {
		InputPath string   `json:"inputPath"`
		Result    []action `json:"result"`
	} `json:"discoveryTests"`
	ActionTests []struct {
		Action             string `json:"action"`
		InputPath          string `json:"inputPath"`
		ExpectedOutputPath string `json:"expectedOutputPath"`
	} `json:"actionTests"`
}

// TestFolders does what Argo CD's own tests do with such folders.
func TestFolders(t *testing.T) {
	kinds, err := filepath.Glob(filepath.Join(root, "*"))
	if err != nil || len(kinds) == 0 {
		t.Fatalf("no kind lies in %s: %v", root, err)
	}
	for _, folder := range kinds {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			checkHealth(t, folder)
			checkOffers(t, filepath.Join(folder, "actions"))
			checkActions(t, filepath.Join(folder, "actions"))
		})
	}
}

func checkHealth(t *testing.T, folder string) {
	script := read(t, filepath.Join(folder, "health.lua"))
	var wanted healthTests
	decode(t, filepath.Join(folder, "health_test.yaml"), &wanted)
	seen := map[string]bool{}
	for _, test := range wanted.Tests {
		var is healthStatus
		must(t, test.InputPath, run(script, load(t, filepath.Join(folder, test.InputPath)), &is))
		if is != test.HealthStatus {
			t.Errorf("%s is %v, wanted %v", test.InputPath, is, test.HealthStatus)
		}
		seen[is.Status] = true
	}
	if !seen["Healthy"] || !seen["Progressing"] {
		t.Errorf("%s has no test that is Healthy or none that is Progressing", folder)
	}
}

func checkOffers(t *testing.T, folder string) {
	script := read(t, filepath.Join(folder, "discovery.lua"))
	tests := actionTestsOf(t, folder)
	if len(tests.DiscoveryTests) == 0 {
		t.Errorf("%s has no test of what is offered", folder)
	}
	for _, test := range tests.DiscoveryTests {
		offered := map[string]action{}
		must(t, test.InputPath, run(script, load(t, filepath.Join(folder, test.InputPath)), &offered))
		wanted := map[string]action{}
		for _, one := range test.Result {
			name := one.Name
			one.Name = ""
			wanted[name] = one
		}
		if !reflect.DeepEqual(offered, wanted) {
			t.Errorf("%s offers %v, wanted %v", test.InputPath, offered, wanted)
		}
		for name := range offered {
			if _, err := os.Stat(filepath.Join(folder, name, "action.lua")); err != nil {
				t.Errorf("%s offers %s, which has no script", test.InputPath, name)
			}
		}
	}
}

func checkActions(t *testing.T, folder string) {
	var tested []string
	for _, test := range actionTestsOf(t, folder).ActionTests {
		tested = append(tested, test.Action)
		var changed object
		script := read(t, filepath.Join(folder, test.Action, "action.lua"))
		must(t, test.Action, run(script, load(t, filepath.Join(folder, test.InputPath)), &changed))
		expected := load(t, filepath.Join(folder, test.ExpectedOutputPath))
		if is, wanted := timeless(t, changed), timeless(t, expected); is != wanted {
			t.Errorf("%s makes\n%s\nwanted\n%s", test.Action, is, wanted)
		}
	}
	scripts, _ := filepath.Glob(filepath.Join(folder, "*", "action.lua"))
	for _, script := range scripts {
		if name := filepath.Base(filepath.Dir(script)); !slices.Contains(tested, name) {
			t.Errorf("%s has no test", script)
		}
	}
}

var timestamp = regexp.MustCompile(`("reconcile.avnm.dev/requestedAt":")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"`)

// timeless is an object as text without the time that the action reconcile writes. Lua has one empty table for lists and maps;
// Argo CD makes it again what it was.
func timeless(t *testing.T, of object) string {
	text, err := json.MarshalIndent(of, "", " ")
	must(t, "write an object", err)
	flat := strings.ReplaceAll(string(text), `": "`, `":"`)
	return strings.ReplaceAll(timestamp.ReplaceAllString(flat, `$1"`), "[]", "{}")
}

func actionTestsOf(t *testing.T, folder string) actionTests {
	var tests actionTests
	decode(t, filepath.Join(folder, "action_test.yaml"), &tests)
	return tests
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, path, err)
	return string(text)
}

func decode(t *testing.T, path string, into any) {
	t.Helper()
	must(t, path, yaml.UnmarshalStrict([]byte(read(t, path)), into))
}

func load(t *testing.T, path string) object {
	t.Helper()
	var of object
	must(t, path, yaml.Unmarshal([]byte(read(t, path)), &of))
	return of
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
