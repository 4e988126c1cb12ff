// Package bigswitch shows how a controller that is built as mig-controller is
// adopts this project: see README.md.
package bigswitch
