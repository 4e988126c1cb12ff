// Package aside depends on nothing, and is not run for package tiny.
package aside

import "testing"

func TestAside(t *testing.T) {}
