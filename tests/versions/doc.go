// Package versions tests that embedders can keep their versions of Kubernetes and
// controller-runtime. It builds and tests modules outside the repository.
//
// It does not try versions between those of the README.
package versions
