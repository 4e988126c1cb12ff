// Package api defines the types of a controller with the structure of
// mig-controller: a status without a subresource and without a field for
// facts, staged conditions, and steps that are listed by pointers.
//
// They are not the types of mig-controller, of which they have a small part.
package api
