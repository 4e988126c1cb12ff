// Package bigswitch shows how a controller with the structure of
// mig-controller adopts the library. It is an example to read and to copy
// from, not a package to import: see README.md.
package bigswitch
