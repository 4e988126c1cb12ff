// Package release makes releases of the tree, for tests of embedders outside the
// repository.
//
// It publishes nothing.
package release
