package steps_test

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

var startTime = metav1.Unix(0, 0)

// Times is embedded, as in many status types.
type Times struct {
	Started   *metav1.Time `json:"started,omitempty"`
	Completed *metav1.Time `json:"completed,omitempty"`
}
