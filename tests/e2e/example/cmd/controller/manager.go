package main

import (
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
)

// leaderElection lets another replica take over within seconds.
func leaderElection(o *ctrl.Options) {
	lease, renew, retry := 4*time.Second, 3*time.Second, 500*time.Millisecond
	o.LeaseDuration, o.RenewDeadline, o.RetryPeriod = &lease, &renew, &retry
}

// events records events in the API that has replaced the first one.
func events(mgr ctrl.Manager) controller.Recorder {
	recorder := mgr.GetEventRecorder("migration-controller")
	return controller.RecorderFunc(func(object runtime.Object, eventType, reason, message string) {
		recorder.Eventf(object, nil, eventType, reason, reason, "%s", message)
	})
}
