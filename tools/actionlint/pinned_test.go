// What actionlint does not look at: that no action can change under us, and that no job may do more than it says.
package actionlint

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// pinned is an action by the digest of its commit: a tag or a branch is whatever its owner makes of it tomorrow.
var pinned = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)

// version stands behind the digest, for people and for what updates it.
var version = regexp.MustCompile(`uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)

type workflow struct {
	Permissions map[string]string
	Jobs        map[string]job
}

type job struct {
	Uses        string
	Permissions map[string]string
	Timeout     int `yaml:"timeout-minutes"`
	Steps       []struct{ Uses, Run string }
}

// wrong lists what is wrong with a workflow.
func wrong(text []byte) ([]string, error) {
	var w workflow
	if err := yaml.Unmarshal(text, &w); err != nil {
		return nil, fmt.Errorf("read the workflow: %w", err)
	}
	var found []string
	if w.Permissions == nil || len(w.Permissions) > 0 {
		found = append(found, "permissions: {} must stand at the top: a job gets what it names, and nothing else")
	}
	for name, job := range w.Jobs {
		if job.Permissions == nil {
			found = append(found, fmt.Sprintf("job %s names no permissions", name))
		}
		if job.Timeout == 0 && job.Uses == "" {
			found = append(found, fmt.Sprintf("job %s has no timeout-minutes", name))
		}
		used := []string{job.Uses}
		for _, step := range job.Steps {
			used = append(used, step.Uses)
			if strings.Contains(step.Run, "${{") {
				found = append(found, fmt.Sprintf("job %s: an expression in run is pasted into the script; hand it over by env", name))
			}
		}
		for _, action := range used {
			if action != "" && !pinned.MatchString(action) {
				found = append(found, fmt.Sprintf("job %s: %s is not pinned by a commit's digest", name, action))
			}
		}
	}
	// Also what the fields above do not reach, such as a comment that names the version.
	for number, line := range strings.Split(string(text), "\n") {
		if strings.Contains(line, "uses: ") && !strings.HasPrefix(strings.TrimSpace(line), "#") && !version.MatchString(line) {
			found = append(found, fmt.Sprintf("line %d: %s: not a digest with its version behind it", number+1, strings.TrimSpace(line)))
		}
	}
	return found, nil
}

func TestOurWorkflows(t *testing.T) {
	files, err := filepath.Glob("../../.github/workflows/*")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d workflows: %v", len(files), err)
	}
	// What others copy into a repository of theirs is held to the same.
	files = append(files, "../../docs/examples/emulator/github-actions.yaml")
	for _, file := range files {
		if filepath.Ext(file) != ".yaml" {
			t.Errorf("%s: only *.yaml is looked at by actionlint", file)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found, err := wrong(text)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, it := range found {
			t.Errorf("%s: %s", filepath.Base(file), it)
		}
	}
}

func TestWhatIsWrongIsFound(t *testing.T) {
	good := `permissions: {}
jobs:
  one:
    permissions: {contents: read}
    timeout-minutes: 5
    steps:
      - uses: actions/checkout@0123456789abcdef0123456789abcdef01234567 # v1.2.3
      - run: make
`
	if found, err := wrong([]byte(good)); err != nil || len(found) > 0 {
		t.Fatalf("%v %v", found, err)
	}
	for change, with := range map[string]string{
		"permissions: {}\n":                                 "",
		"permissions: {}":                                   "permissions: {contents: read}",
		"    permissions: {contents: read}\n":               "",
		"    timeout-minutes: 5\n":                          "",
		"0123456789abcdef0123456789abcdef01234567 # v1.2.3": "v1",
		"01234567 # v1.2.3":                                 "01234567",
		"abcdef01234567 # v1.2.3":                           "abcdef # v1.2.3",
		"run: make":                                         "run: echo ${{ github.ref }}",
		"      - run: make":                                 "      - uses: ./local",
	} {
		bad := strings.Replace(good, change, with, 1)
		if found, err := wrong([]byte(bad)); err != nil || len(found) == 0 {
			t.Errorf("%q in place of %q: nothing found (%v)", with, change, err)
		}
	}
}
