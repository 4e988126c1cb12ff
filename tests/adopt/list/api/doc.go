// Package api defines the custom resource: a Plan moves many virtual machines,
// and keeps the status of each in one list.
//
// The types have the shape of forklift's, including pointers in lists,
// embedded structs and names. What forklift keeps in a second resource, its
// Migration, is in the spec here.
package api
