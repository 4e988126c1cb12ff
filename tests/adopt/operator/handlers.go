package main

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	api "github.com/konveyor/dynamic-pipeline/tests/adopt/operator/api/v1alpha1"
)

// cluster is the cluster of an upgrade. A primary that does not exist is the
// zero value.
type cluster struct {
	old, new               []api.Server
	oldPrimary, newPrimary api.Server
}

func (w worker) read(ctx context.Context, u *api.Upgrade) (c cluster, err error) {
	var all api.ServerList
	labels := client.MatchingLabels{api.Cluster: u.Name}
	err = w.GetAPIReader().List(ctx, &all, client.InNamespace(u.Namespace), labels)
	for _, s := range all.Items {
		servers, primary := &c.old, &c.oldPrimary
		if s.Spec.Version == u.Spec.Version {
			servers, primary = &c.new, &c.newPrimary
		}
		*servers = append(*servers, s)
		if s.Spec.Role == api.Primary {
			*primary = s
		}
	}
	return c, err
}

// sources returns the sources of the flags.
func (w worker) sources(ctx context.Context, u *api.Upgrade) (*phases.Sources, error) {
	c, err := w.read(ctx, u)
	if err != nil {
		return nil, err
	}
	collation := phases.Unknown // until the new primary runs
	if c.newPrimary.Ready() {
		collation = phases.TruthOf(c.newPrimary.Status.CollationChanged)
	}
	// An earlier attempt may have moved the clients to the new primary.
	back := len(c.new) > 0 && c.oldPrimary.Name != "" && !c.newPrimary.Spec.Writable
	return phases.NewSources(flags,
		phases.SourceOf(WantsBackup, phases.TruthOf(u.Spec.Backup)),
		phases.SourceOf(HasNewServers, phases.TruthOf(back)),
		phases.SourceOf(CollationChanged, collation),
		phases.SourceOf(ReplicasMissing, phases.TruthOf(len(c.old) > max(len(c.new), 1))),
	)
}

// Handle does the work of a phase. Most phases create or change one server, and
// wait until it is ready. After a crash, Handle is called again and finds the
// work that is already done.
func (w worker) Handle(ctx context.Context, u *api.Upgrade, v runner.Visit) (runner.Result, error) {
	c, err := w.read(ctx, u)
	if err != nil {
		return runner.Result{}, err
	}
	s := &c.newPrimary
	switch v.Phase {
	case "Check", "BackUp":
		s, c.oldPrimary.Spec.BackUp = &c.oldPrimary, v.Phase == "BackUp"
		if s.Spec.Version == 0 || s.Spec.Version > u.Spec.Version {
			return runner.Fail("there is no primary of an earlier version"), nil
		}
	case "CreatePrimary":
		s = newServer(u, "", api.Primary, c.oldPrimary.Name)
	case "Reindex":
		s.Spec.Reindex = true
	case "RebuildReplica": // one replica each visit
		s = newServer(u, fmt.Sprintf("-%d", v.Number), api.Replica, s.Name)
	case "StopWrites", "ResumeWrites":
		s, c.oldPrimary.Spec.Writable = &c.oldPrimary, v.Phase == "ResumeWrites"
	case "CatchUp":
		if lag := s.Status.LagBytes; lag > 0 {
			return runner.Wait(0, "", fmt.Sprintf("%d bytes behind", lag)), nil
		}
	case "Promote", "AcceptWrites":
		s.Spec.Source, s.Spec.Writable = "", s.Spec.Writable || v.Phase == "AcceptWrites"
	case "RemoveOldServers":
		return w.remove(ctx, c.old)
	case "RemoveNewServers":
		return w.remove(ctx, c.new)
	default:
		return runner.Fail("there is no work for phase " + v.Phase), nil
	}
	switch err := w.write(ctx, s); {
	case err != nil || s.Ready():
		return runner.Done(), err
	case s.Failed():
		return runner.Fail("server " + s.Name + ": " + s.Status.Error), nil
	}
	return runner.Wait(0, "Waiting for server "+s.Name), nil
}

// newServer returns a server of the new version.
func newServer(u *api.Upgrade, suffix string, role api.Role, source string) *api.Server {
	s := &api.Server{Spec: api.ServerSpec{Version: u.Spec.Version, Role: role, Source: source}}
	s.Namespace, s.Name = u.Namespace, fmt.Sprintf("%s-v%d%s", u.Name, u.Spec.Version, suffix)
	s.Labels = map[string]string{api.Cluster: u.Name}
	return s
}

// write updates a server that was read. It creates any other, unless it exists.
func (w worker) write(ctx context.Context, s *api.Server) error {
	if s.ResourceVersion != "" {
		return w.GetClient().Update(ctx, s)
	}
	if err := w.GetClient().Create(ctx, s); err == nil || client.IgnoreAlreadyExists(err) != nil {
		return err
	}
	return w.GetAPIReader().Get(ctx, client.ObjectKeyFromObject(s), s)
}

func (w worker) remove(ctx context.Context, all []api.Server) (runner.Result, error) {
	for _, s := range all {
		if err := w.GetClient().Delete(ctx, &s); client.IgnoreNotFound(err) != nil {
			return runner.Result{}, err
		}
	}
	return runner.Done(), nil
}
