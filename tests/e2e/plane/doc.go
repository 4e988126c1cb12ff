// Package plane runs a real control plane for tests: kube-apiserver and etcd,
// built from the modules that tests/e2e/kube pins, started by envtest. Each
// component can be killed hard and started again.
package plane
