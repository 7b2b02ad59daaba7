// The CustomResourceDefinitions of the Prometheus operator, for the tests of the chart: no program is built of it.
module avnm.dev/tools/monitoring

go 1.26.0

require github.com/prometheus-operator/prometheus-operator v0.85.0 // indirect
