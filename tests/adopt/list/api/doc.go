// Package api defines the custom resource: a Plan moves many virtual machines,
// and keeps the status of each in one list.
//
// The types have the shape of forklift's, including pointers in lists,
// embedded structs and names. forklift has a second resource, Migration; its
// fields are in the spec here.
package api
