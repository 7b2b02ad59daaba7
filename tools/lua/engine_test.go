// Package lua tests our health checks and actions for Argo CD in the interpreter that it embeds.
package lua

import (
	"encoding/json"
	"fmt"

	lua "github.com/yuin/gopher-lua"
	luajson "layeh.com/gopher-json"
)

// object is a Kubernetes object.
type object map[string]any

// run gives a script what Argo CD gives to scripts of its ConfigMap: the object as obj, and of Lua's libraries only package,
// base, table, and time and date of os. What the script returns is read into the result.
func run(script string, of object, result any) error {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	// In this order: the others enter themselves into package.
	for _, library := range []struct {
		name string
		open lua.LGFunction
	}{
		{lua.LoadLibName, lua.OpenPackage},
		{lua.BaseLibName, lua.OpenBase},
		{lua.TabLibName, lua.OpenTable},
		{lua.OsLibName, lua.OpenOs},
	} {
		call := lua.P{Fn: state.NewFunction(library.open), Protect: true}
		if err := state.CallByParam(call, lua.LString(library.name)); err != nil {
			return fmt.Errorf("open the library %s: %w", library.name, err)
		}
	}
	var unsafe []lua.LValue
	library := state.GetGlobal(lua.OsLibName).(*lua.LTable)
	library.ForEach(func(name, _ lua.LValue) {
		if name.String() != "time" && name.String() != "date" {
			unsafe = append(unsafe, name)
		}
	})
	for _, name := range unsafe {
		library.RawSet(name, lua.LNil)
	}
	state.SetGlobal("obj", luajson.DecodeValue(state, map[string]any(of)))
	if err := state.DoString(script); err != nil {
		return fmt.Errorf("run the script: %w", err)
	}
	text, err := luajson.Encode(state.Get(-1))
	if err != nil {
		return fmt.Errorf("read what the script returned: %w", err)
	}
	return json.Unmarshal(text, result)
}
