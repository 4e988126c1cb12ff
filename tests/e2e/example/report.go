package example

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// Call reports a call of a phase.
type Call struct {
	// Replica identifies the caller.
	Replica   string `json:"replica"`
	Namespace string `json:"namespace"`
	Migration string `json:"migration"`
	At
	// Ended means that the call is over. Otherwise it is about to begin.
	Ended bool `json:"ended"`
}

// Reply is the result that a call must return instead of its own. If empty,
// the call returns its own result.
type Reply string

// The replies.
const (
	Fail Reply = "fail"
	Wait Reply = "wait"
)

// Report reports each call of a phase to a URL, before it begins and after it
// has ended. The URL replies with a [Reply]. If a report is not accepted, the
// phase is not called.
func Report(url, replica string) Around {
	post := func(ctx context.Context, c Call) (Reply, error) {
		body, err := json.Marshal(c)
		if err != nil {
			return "", err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return "", err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		reply, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("report to %s: %s", url, response.Status)
		}
		return Reply(reply), err
	}
	return func(ctx context.Context, m Migration, at At, phase func() (runner.Result, error)) (runner.Result, error) {
		c := Call{Replica: replica, Namespace: m.GetNamespace(), Migration: m.GetName(), At: at}
		if _, err := post(ctx, c); err != nil {
			return runner.Result{}, err
		}
		result, err := phase()
		c.Ended = true
		reply, reported := post(ctx, c)
		switch {
		case err != nil || reported != nil:
			return result, cmp.Or(err, reported)
		case reply == Fail:
			return runner.Fail("told to fail"), nil
		case reply == Wait:
			return runner.Wait(0, "told to wait"), nil
		}
		return result, nil
	}
}
