// The Lua interpreter that Argo CD embeds, in the version of Argo CD 3.2.6, for the tests of our health checks and actions.
// Argo CD itself takes long to compile.
module avnm.dev/tools/lua

go 1.26.0

require (
	github.com/yuin/gopher-lua v1.1.1
	layeh.com/gopher-json v0.0.0-20190114024228-97fed8db8427
	sigs.k8s.io/yaml v1.6.0
)

require go.yaml.in/yaml/v2 v2.4.2 // indirect
