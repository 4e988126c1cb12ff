package controller_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// condition is an embedder's own type, such as mig-controller's: with fields that
// others lack, and without a generation.
type condition struct {
	Type     string      `json:"type"`
	Status   string      `json:"status"`
	Reason   string      `json:"reason,omitempty"`
	Message  string      `json:"message,omitempty"`
	Since    metav1.Time `json:"lastTransitionTime,omitempty"`
	Category string      `json:"category,omitempty"`
}

func ownConditions(m *Move) *[]condition { return &m.Status.Own }

func getCondition(c condition) metav1.Condition {
	return metav1.Condition{Type: c.Type, Status: metav1.ConditionStatus(c.Status), Reason: c.Reason, Message: c.Message,
		LastTransitionTime: c.Since}
}

func setCondition(c condition, to metav1.Condition) condition {
	c.Type, c.Status, c.Reason, c.Message, c.Since = to.Type, string(to.Status), to.Reason, to.Message, to.LastTransitionTime
	return c
}

// Conditions of an embedder's own type read like those of the API machinery. Their
// other contents stay, even if other clients write them meanwhile.
func TestConditionsOfAnotherType(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			usual, own := newWorld(t, way.status), newWorld(t, way.status)
			usual.options.Runner.Storage, own.options.Runner.Storage = way.keep, way.keep
			own.options.Conditions = controller.NewConditionsOf(ownConditions, getCondition, setCondition)
			own.options.Runner.Select = func(_ context.Context, m *Move) (string, error) {
				if slices.ContainsFunc(m.Status.Own,
					func(c condition) bool { return c.Type == controller.ConditionFailed && c.Status == "True" }) {
					return "CleanUp", nil
				}
				return "Move", nil
			}
			for _, w := range []*world{usual, own} {
				w.handlers["Attach"] = func(context.Context, *Move) (runner.Result, error) { return runner.Fail("no node"), nil }
			}
			own.edit(func(m *Move) {
				m.Status.Own = []condition{{Type: controller.ConditionRunning, Status: "Unknown", Category: "Advisory"},
					{Type: "Other", Status: "True", Category: "Warn"}}
			})
			own.restart()
			own.before = func(n int) error {
				if n%2 == 1 { // another client is faster
					own.edit(func(m *Move) {
						i := slices.IndexFunc(m.Status.Own, func(c condition) bool { return c.Type == "Other" })
						m.Status.Own[i].Message += "x"
					})
				}
				return nil
			}
			usual.end()
			own.end()
			assert.Equal(t, usual.called, own.called)

			got := map[string]condition{}
			for _, c := range own.get().Status.Own {
				require.NotContains(t, got, c.Type, "each once")
				got[c.Type] = c
			}
			for _, want := range usual.get().Status.Conditions {
				c := got[want.Type]
				assert.Equal(t, []string{string(want.Status), want.Reason, want.Message}, []string{c.Status, c.Reason, c.Message},
					want.Type)
			}
			assert.Equal(t, "Advisory", got[controller.ConditionRunning].Category)
			assert.Equal(t, "Warn", got["Other"].Category)
			assert.NotEmpty(t, got["Other"].Message)
			assert.Len(t, got, len(usual.get().Status.Conditions)+1)
		})
	}
}

func TestConditionsWithoutFunctions(t *testing.T) {
	w := newWorld(t, subresource)
	w.options.Conditions = controller.NewConditionsOf(ownConditions, nil, setCondition)
	_, err := controller.New(w.options)
	assert.EqualError(t, err, "controller options: Conditions lacks a function; set all of them")
}
