package example

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// Call is a call of a phase, as it is reported.
type Call struct {
	// Replica is who calls.
	Replica   string `json:"replica"`
	Namespace string `json:"namespace"`
	Migration string `json:"migration"`
	At
	// Ended says that the call is over; else it is about to begin.
	Ended bool `json:"ended"`
}

// Report tells a URL of each call of a phase before it begins and once it is
// over. A phase is not called where nobody takes its report.
func Report(url, replica string) Around {
	post := func(ctx context.Context, c Call) error {
		body, err := json.Marshal(c)
		if err != nil {
			return err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("report to %s: %s", url, response.Status)
		}
		return nil
	}
	return func(ctx context.Context, m Migration, at At, phase func() (runner.Result, error)) (runner.Result, error) {
		c := Call{Replica: replica, Namespace: m.GetNamespace(), Migration: m.GetName(), At: at}
		if err := post(ctx, c); err != nil {
			return runner.Result{}, err
		}
		result, err := phase()
		c.Ended = true
		if reported := post(ctx, c); err == nil {
			err = reported
		}
		return result, err
	}
}
