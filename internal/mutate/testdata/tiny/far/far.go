// Package far depends on package tiny.
package far

import "github.com/konveyor/dynamic-pipeline/internal/mutate/testdata/tiny"

// Away returns what package tiny has for it.
func Away() bool { return tiny.Far() }
