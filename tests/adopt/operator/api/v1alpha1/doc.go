// Package v1alpha1 defines the custom resources of the operator.
//
// +kubebuilder:object:generate=true
// +groupName=postgres.example.com
package v1alpha1
