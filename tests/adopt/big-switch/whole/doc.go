// Package whole is the controller after it has adopted the library whole: the
// runner drives it, and the switch over phases is the handler of all of them.
//
// It has no loop of its own.
package whole
