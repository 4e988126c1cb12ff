// Package list shows how a controller that moves many virtual machines in one
// object adopts the framework: package before is the controller as it was, and
// package after as it is then.
package list
