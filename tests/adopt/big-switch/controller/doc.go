// Package controller is the part that three variants of one controller share:
// the loop around a migration, the switch over its phases, and the functions
// that guards call. It has the structure of mig-controller.
//
// It does not import the library.
package controller
