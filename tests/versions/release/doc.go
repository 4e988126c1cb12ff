// Package release makes releases of the tree, for tests of embedders outside the
// repository.
package release
