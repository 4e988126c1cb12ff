package controller_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
)

// events receives the calls of an events.EventRecorder.
type events []string

func (e *events) Eventf(regarding, related runtime.Object, eventType, reason, action, note string, args ...any) {
	*e = append(*e, fmt.Sprintf("%T %v %s %s %s %s", regarding, related, eventType, reason, action, fmt.Sprintf(note, args...)))
}

func TestEventsRecorder(t *testing.T) {
	var got events
	controller.NewEventsRecorder(&got).Event(&Move{}, "Normal", "RunSucceeded", "100% done")
	assert.Equal(t, events{"*controller_test.Move <nil> Normal RunSucceeded RunSucceeded 100% done"}, got)
}
