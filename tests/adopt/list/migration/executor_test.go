package migration_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
)

// target fails to remove a virtual machine if err is set.
type target struct {
	migration.Target
	err error
}

func (target) Cleanup(string) error    { return nil }
func (t target) RemoveVM(string) error { return t.err }

// source records that a virtual machine was started.
type source struct {
	migration.Source
	on bool
}

func (s *source) PowerOn(string) error { s.on = true; return nil }

func TestCleanUpStartsCanceledSourceOnlyIfTargetIsGone(t *testing.T) {
	for _, err := range []error{nil, errors.New("timeout")} {
		s := &source{}
		x := migration.Executor{Source: s, Target: target{err: err}}
		vm := &api.VMStatus{RestorePowerState: "On"}
		vm.SetCondition(api.Canceled)
		x.CleanUp(vm)
		assert.Equal(t, err == nil, s.on, "RemoveVM returns %v", err)
	}
}
