package controller_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// limited gives the fake API server the limits of a real one: 256 KiB for all
// annotations of an object, and 1.5 MiB for a request.
func (w *world) limited() {
	check := func(ctx context.Context, c client.Client, o client.Object, p client.Patch) error {
		data, err := p.Data(o)
		if err != nil {
			return err
		}
		if limit := 3 << 19; len(data) > limit {
			return apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("limit is %d", limit))
		}
		var patch struct {
			Metadata struct{ Annotations map[string]string }
		}
		if err := json.Unmarshal(data, &patch); err != nil {
			return err
		}
		is := &Move{}
		if err := c.Get(ctx, client.ObjectKeyFromObject(o), is); err != nil {
			return err
		}
		for k, v := range patch.Metadata.Annotations {
			metav1.SetMetaDataAnnotation(&is.ObjectMeta, k, v)
		}
		if errs := validation.ValidateAnnotations(is.Annotations, field.NewPath("metadata", "annotations")); len(errs) > 0 {
			return apierrors.NewInvalid(schema.GroupKind{Group: "example.com", Kind: "Move"}, o.GetName(), errs)
		}
		return nil
	}
	w.options.Client = interceptor.NewClient(w.options.Client.(client.WithWatch), interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			if err := check(ctx, c, o, p); err != nil {
				return err
			}
			return c.Patch(ctx, o, p, opts...)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, _ string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			if err := check(ctx, c, o, p); err != nil {
				return err
			}
			return c.Status().Patch(ctx, o, p, opts...)
		},
	})
}

// All results of a handler fit, even if the annotations of others take most of the
// room.
func TestFailuresReachCleanup(t *testing.T) {
	many := make([]string, 3000)
	for i := range many {
		many[i] = fmt.Sprintf("volume shop/orders-%04d: rsync ended with code 23: %s", i, strings.Repeat("x", 60))
	}
	for _, way := range testscale.Of(ways, ways[:1]) {
		for name, reasons := range map[string][]string{
			"one of 2 MiB": {strings.Repeat("x", 2<<20)}, "3,000": many, "of quotes": {strings.Repeat(`"`, 1<<20)},
			"that is no UTF-8": {strings.Repeat("\xff", 1<<20)}, "none": nil,
		} {
			t.Run(way.name+", reasons: "+name, func(t *testing.T) {
				w := newWorld(t, way.status)
				w.options.Runner.Storage = way.keep
				w.limited()
				w.edit(func(m *Move) {
					metav1.SetMetaDataAnnotation(&m.ObjectMeta, "example.com/other", strings.Repeat("x", 190<<10))
				})
				w.handlers["Copy"] = func(context.Context, *Move) (runner.Result, error) { return runner.Fail(reasons...), nil }
				w.end()
				assert.Equal(t, []string{"Refresh", "Copy", "Report"}, w.called)
				assert.Contains(t, w.conditions(), "Succeeded=False/Failed Failed=True/Failed")
			})
		}
	}
}

// A state that does not fit beside the annotations of others stops the run until there
// is room.
func TestStateDoesNotFit(t *testing.T) {
	status := func(message string, code int32) error {
		return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: code, Message: message}}
	}
	for name, answer := range map[string]error{
		"as the API server refuses it": nil, // by limited
		"a request above the limit":    apierrors.NewRequestEntityTooLargeError("limit is 3145728"),
		"an answer of a proxy":         status("request entity too large", http.StatusRequestEntityTooLarge),
		"above etcd's limit":           status("etcdserver: request is too large", http.StatusInternalServerError),
		"above gRPC's limit": status("rpc error: code = ResourceExhausted desc = trying to send message larger than max "+
			"(2101234 vs. 2097152)", http.StatusInternalServerError),
	} {
		for _, conditions := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, conditions: %v", name, conditions), func(t *testing.T) {
				w := newWorld(t, plain)
				w.options.Runner.Storage = inAnnotation
				if !conditions {
					w.options.Conditions = nil
				}
				w.limited()
				answer, waits := answer, true
				w.handlers["Refresh"] = func(context.Context, *Move) (runner.Result, error) { // the state grows
					if waits {
						return runner.Wait(1, ""), nil
					}
					return runner.Done(), nil
				}
				_, err := w.reconcile()
				require.NoError(t, err)
				before, events := w.get(), len(w.events)
				if answer == nil {
					other := 256<<10 - len(before.Annotations[annotation]) - len(annotation) - len("example.com/other")
					w.edit(func(m *Move) {
						metav1.SetMetaDataAnnotation(&m.ObjectMeta, "example.com/other", strings.Repeat("x", other))
					})
				} else {
					real := w.options.Client
					w.options.Client = interceptor.NewClient(real.(client.WithWatch), interceptor.Funcs{
						Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
							if data, _ := p.Data(o); answer != nil && strings.Contains(string(data), annotation) {
								return answer
							}
							return c.Patch(ctx, o, p, opts...)
						},
					})
					w.restart()
				}
				for range 3 {
					_, err := w.reconcile()
					var refused *controller.RefusedError
					require.ErrorAs(t, err, &refused)
					assert.True(t, refused.TooLarge)
					require.ErrorIs(t, err, reconcile.TerminalError(nil), "it is not retried")
				}
				assert.Equal(t, before.Annotations[annotation], w.get().Annotations[annotation])
				assert.Equal(t, before.Status.Pipeline, w.get().Status.Pipeline)
				require.Len(t, w.events, events+1, "reported once")
				text := "the object would be too large with the state; remove other large fields or annotations from it: "
				assert.Contains(t, w.events[events], "Warning Stopped: "+text)
				if conditions {
					assert.Contains(t, w.conditions(), "Running=False/Stopped")
					assert.Contains(t, w.message(controller.ConditionRunning), text)
				}
				answer, waits = nil, false
				w.edit(func(m *Move) { delete(m.Annotations, "example.com/other") })
				w.end()
				s, err := inAnnotation.Read(context.Background(), w.get())
				require.NoError(t, err)
				assert.True(t, s.Done)
			})
		}
	}
}

// An object that the API server calls invalid may be valid once its definition is
// updated, so it is retried and shown.
func TestInvalidObject(t *testing.T) {
	for _, problem := range []*field.Error{
		field.Required(field.NewPath("status", "note"), ""),
		field.TooLong(field.NewPath("status", "note"), "", 10),
	} {
		t.Run(string(problem.Type), func(t *testing.T) {
			w := newWorld(t, subresource)
			_, err := w.reconcile()
			require.NoError(t, err)
			invalid := apierrors.NewInvalid(schema.GroupKind{Group: "example.com", Kind: "Move"}, "shop", field.ErrorList{problem})
			events := len(w.events)
			n := 0
			w.before = func(int) error {
				if n++; n == 1 { // the write of the condition succeeds
					return invalid
				}
				return nil
			}
			for range 2 {
				_, err = w.reconcile()
				require.ErrorIs(t, err, invalid)
				require.NotErrorIs(t, err, reconcile.TerminalError(nil))
				n = 0
			}
			assert.Equal(t, "Refresh", w.get().Status.State.Phase)
			assert.Contains(t, w.conditions(), "Running=True/Retrying")
			assert.Contains(t, w.message(controller.ConditionRunning), problem.Error())
			require.Len(t, w.events, events+1)
			assert.Contains(t, w.events[events], "Warning Retrying: ")
			w.before = nil
			w.end()
		})
	}
}

// Each text can come from outside, with any length and any bytes.
func TestTextsAreBounded(t *testing.T) {
	texts := map[string]string{
		"long":         strings.Repeat("x", testscale.Of(2<<20, 64<<10)),
		"of two bytes": strings.Repeat("ä", 2000), "of four bytes": "x" + strings.Repeat("\U0001F600", 1000),
		"no UTF-8": strings.Repeat("\xff", 5000), "cut in a rune": strings.Repeat("ä", 600)[:1023], "with no UTF-8 in it": strings.Repeat("a\xc3", 700),
		"escaped": strings.Repeat("\x00\"<", 1000),
	}
	places := map[string]func(w *world, text string){
		"a failure": func(w *world, text string) {
			w.handlers["Refresh"] = func(context.Context, *Move) (runner.Result, error) { return runner.Fail(text, text), nil }
		},
		"an error": func(w *world, text string) {
			w.handlers["Refresh"] = func(context.Context, *Move) (runner.Result, error) { return runner.Result{}, errors.New(text) }
		},
		"a wait": func(w *world, text string) {
			w.handlers["Refresh"] = func(context.Context, *Move) (runner.Result, error) { return runner.Wait(1, text, text), nil }
		},
		"an error of a flag":   func(w *world, text string) { w.flagErr = errors.New(text) },
		"an unknown itinerary": func(w *world, text string) { w.selects(text) },
		"an itinerary that is not entered": func(w *world, text string) {
			w.selects("CleanUp")
			w.handlers["Report"] = func(context.Context, *Move) (runner.Result, error) { return runner.Wait(1, text), nil }
			_, err := w.reconcile()
			require.NoError(w.t, err)
			w.selects("Move")
		},
		"an unknown phase": func(w *world, text string) {
			w.edit(func(m *Move) { m.Status.State.Phase = strings.ToValidUTF8(text, "?") })
		},
		"a state that cannot be read": func(w *world, text string) {
			broken := true
			w.options.Runner.Storage = failingStorage(&broken, func() error { return errors.New(text) }, nil)
			w.restart()
		},
		"a selector that panics": func(w *world, text string) {
			w.options.Runner.Select = func(context.Context, *Move) (string, error) { panic(text) }
			w.restart()
		},
	}
	for place, set := range places {
		for name, text := range texts {
			t.Run(place+", "+name, func(t *testing.T) {
				w := newWorld(t, subresource)
				w.limited()
				_, err := w.reconcile()
				require.NoError(t, err)
				events := len(w.events)
				set(w, text)
				_, _ = w.reconcile()
				if place != "a wait" {
					assert.Greater(t, len(w.events), events)
				}
				for _, e := range w.events {
					_, message, _ := strings.Cut(e, ": ")
					assert.LessOrEqual(t, len(message), controller.MaxMessage)
					assert.True(t, utf8.ValidString(message))
				}
				for _, c := range w.get().Status.Conditions {
					assert.LessOrEqual(t, len(c.Message), controller.MaxMessage)
					assert.True(t, utf8.ValidString(c.Message))
				}
			})
		}
	}
}

func TestShort(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""}, {"disk full", "disk full"}, {"\xff", "\uFFFD"}, {"a\xc3", "a\uFFFD"},
		{strings.Repeat("x", 1024), strings.Repeat("x", 1024)},
		{strings.Repeat("x", 1025), strings.Repeat("x", 1021) + "..."},
		{strings.Repeat("x", 1020) + "äää", strings.Repeat("x", 1020) + "..."},
		{strings.Repeat("x", 1023) + "\xff", strings.Repeat("x", 1021) + "..."},
		{strings.Repeat("ä", 512), strings.Repeat("ä", 512)},
		{strings.Repeat("ä", 513), strings.Repeat("ä", 510) + "..."},
	} {
		assert.Equal(t, c.want, controller.Short(c.text))
	}
}
