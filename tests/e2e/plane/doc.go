// Package plane runs a real control plane for tests: kube-apiserver and etcd,
// built from the modules that tests/e2e/kube pins, and started by envtest.
// Each component can be killed hard and restarted.
//
// A control plane has no controllers, no scheduler and no kubelets.
package plane
