package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/api"
)

// ErrCrash means that the controller crashed before it could write.
var ErrCrash = errors.New("the controller crashed")

// Server is an API server for one plan with a status subresource. It
// implements only the methods that these controllers call: Get, and Update and
// Patch of the status.
type Server struct {
	client.Client // the other methods are not called
	plan          *api.Plan
	version       int
	// Writes counts the writes. If Crash is set, writes are lost.
	Writes int
	Crash  bool
}

// NewServer returns a server that holds plan.
func NewServer(plan *api.Plan) *Server {
	s := &Server{}
	s.store(plan)
	return s
}

// store keeps a copy of the plan as its next version.
func (s *Server) store(plan *api.Plan) {
	s.version++
	s.plan = plan.DeepCopy()
	s.plan.ResourceVersion = strconv.Itoa(s.version)
}

// Plan returns a copy of the plan.
func (s *Server) Plan() *api.Plan { return s.plan.DeepCopy() }

// Edit changes the plan like a user.
func (s *Server) Edit(change func(plan *api.Plan)) {
	plan := s.Plan()
	change(plan)
	s.store(plan)
}

// Get implements [client.Reader].
func (s *Server) Get(_ context.Context, _ client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	*object.(*api.Plan) = *s.Plan()
	return nil
}

// Status implements [client.StatusClient].
func (s *Server) Status() client.SubResourceWriter { return status{server: s} }

type status struct {
	client.SubResourceWriter // the other methods are not called
	server                   *Server
}

// write stores the status of a plan, and returns the result in object.
func (s status) write(sent *api.Plan, object client.Object) error {
	server := s.server
	if server.Writes++; server.Crash {
		return ErrCrash
	}
	if sent.ResourceVersion != "" && sent.ResourceVersion != server.plan.ResourceVersion {
		return apierrors.NewConflict(schema.GroupResource{Group: api.GroupVersion.Group, Resource: "plans"}, sent.Name,
			fmt.Errorf("the stored version is %s, not %s", server.plan.ResourceVersion, sent.ResourceVersion))
	}
	server.Edit(func(plan *api.Plan) { plan.Status = sent.Status })
	return server.Get(context.Background(), client.ObjectKey{}, object)
}

// Update implements [client.SubResourceWriter].
func (s status) Update(_ context.Context, object client.Object, _ ...client.SubResourceUpdateOption) error {
	return s.write(object.(*api.Plan), object)
}

// Patch implements [client.SubResourceWriter] for merge patches.
func (s status) Patch(_ context.Context, object client.Object, patch client.Patch, _ ...client.SubResourcePatchOption) error {
	data, err := patch.Data(object)
	if err != nil {
		return err
	}
	// A merge patch replaces a list as a whole.
	sent := s.server.Plan()
	before := sent.Status.Migration.VMs
	sent.Status.Migration.VMs = nil
	if err := json.Unmarshal(data, sent); err != nil {
		return err
	}
	if sent.Status.Migration.VMs == nil {
		sent.Status.Migration.VMs = before
	}
	return s.write(sent, object)
}
