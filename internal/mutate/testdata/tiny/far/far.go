// Package far depends on package tiny.
package far

import "github.com/konveyor/dynamic-pipeline/internal/mutate/testdata/tiny"

// Away reports the result of tiny.Far.
func Away() bool { return tiny.Far() }
