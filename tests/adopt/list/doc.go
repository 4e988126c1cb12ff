// Package list shows how a controller that moves many virtual machines in one
// object adopts the library: package before is the controller before the
// adoption, and package after is the controller after it.
//
// The controller has the structure of forklift. It is an example to read and
// to copy from, not a package to import: see README.md.
package list
