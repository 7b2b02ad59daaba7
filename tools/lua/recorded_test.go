package lua

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"sigs.k8s.io/yaml"
)

// patch is the ConfigMap patch that users apply, and in it what Argo CD reads as YAML.
type patch struct {
	Data map[string]string `json:"data"`
}

func readPatch(t *testing.T) patch {
	var all struct {
		APIVersion string            `json:"apiVersion"`
		Kind       string            `json:"kind"`
		Metadata   map[string]string `json:"metadata"`
		Data       map[string]string `json:"data"`
	}
	decode(t, "../../deploy/argocd/argocd-cm-patch.yaml", &all)
	return patch{all.Data}
}

// state is what is looked at of a recorded object.
type state struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Generation int     `json:"generation"`
		Deleting   *string `json:"deletionTimestamp"`
	} `json:"metadata"`
	Spec struct {
		Suspend bool `json:"suspend"`
	} `json:"spec"`
	Status struct {
		ObservedGeneration int `json:"observedGeneration"`
		Conditions         []struct {
			Type   string `json:"type"`
			Status string `json:"status"`
		} `json:"conditions"`
	} `json:"status"`
}

// expected is the agreement: waiting is no fault, and Stalled is one.
func (s *state) expected() string {
	if s.Status.ObservedGeneration != s.Metadata.Generation {
		return "Progressing"
	}
	if s.Spec.Suspend && s.Metadata.Deleting == nil {
		return "Suspended"
	}
	is := "Progressing"
	for _, condition := range s.Status.Conditions {
		switch {
		case condition.Type == "Stalled" && condition.Status == "True":
			return "Degraded"
		case condition.Type == "Ready" && condition.Status == "True":
			is = "Healthy"
		}
	}
	return is
}

// TestRecorded judges what the scenarios recorded with the scripts of the patch. What is being deleted is left out: Argo CD
// calls that Progressing itself, and asks no script.
func TestRecorded(t *testing.T) {
	path := os.Getenv("AVNM_RECORD")
	if path == "" {
		t.Skip("AVNM_RECORD names no file that `scenarios --record` wrote")
	}
	file, err := os.Open(path)
	must(t, "open the record", err)
	defer file.Close()
	data := readPatch(t).Data
	seen := map[string]int{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var of object
		var short state
		must(t, lines.Text(), json.Unmarshal(lines.Bytes(), &of))
		must(t, lines.Text(), json.Unmarshal(lines.Bytes(), &short))
		if short.Metadata.Deleting != nil {
			continue
		}
		script := data["resource.customizations.health.avnm.dev_"+short.Kind]
		var is healthStatus
		must(t, lines.Text(), run(script, of, &is))
		if is.Status != short.expected() || is.Message == "" {
			t.Errorf("it is %v, wanted %s: %s", is, short.expected(), lines.Text())
		}
		seen[is.Status]++
	}
	must(t, "read the record", lines.Err())
	t.Logf("judged: %v", seen)
	for _, status := range []string{"Healthy", "Progressing", "Degraded", "Suspended"} {
		if seen[status] == 0 {
			t.Errorf("nothing recorded is %s", status)
		}
	}
}

// TestPatch: the patch has the scripts of the folders, by the names that Argo CD looks for.
func TestPatch(t *testing.T) {
	data := readPatch(t).Data
	kinds, err := os.ReadDir(root)
	must(t, "list the kinds", err)
	for _, kind := range kinds {
		folder := root + "/" + kind.Name()
		if data["resource.customizations.health.avnm.dev_"+kind.Name()] != read(t, folder+"/health.lua") {
			t.Errorf("the patch has another health check for %s", kind.Name())
		}
		var actions struct {
			Discovery   string `json:"discovery.lua"`
			Definitions []struct {
				Name   string `json:"name"`
				Script string `json:"action.lua"`
			} `json:"definitions"`
		}
		text := data["resource.customizations.actions.avnm.dev_"+kind.Name()]
		must(t, kind.Name(), yaml.UnmarshalStrict([]byte(text), &actions))
		if actions.Discovery != read(t, folder+"/actions/discovery.lua") || len(actions.Definitions) == 0 {
			t.Errorf("the patch offers other actions for %s", kind.Name())
		}
		for _, one := range actions.Definitions {
			if one.Script != read(t, folder+"/actions/"+one.Name+"/action.lua") {
				t.Errorf("the patch has another action %s for %s", one.Name, kind.Name())
			}
		}
	}
	if len(data) != 2*len(kinds) {
		t.Errorf("the patch has %d keys for %d kinds", len(data), len(kinds))
	}
}
