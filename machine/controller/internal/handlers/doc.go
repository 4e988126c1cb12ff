// Package handlers wraps the handlers of a runner's options. Both machine/controller and
// its controllertest use it: for spans, and to count calls.
//
// It does not call handlers itself, which the runner does.
package handlers
