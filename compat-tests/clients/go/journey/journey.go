// Package journey is what the Go programs share: the journey that standard input describes, and the report of what
// the registry client saw, which goes to standard output. The test that started the program judges the report.
package journey

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// Journey tells where the registry is and what to register, in which formats.
type Journey struct {
	Registry string            `json:"registry"`
	Prefix   string            `json:"prefix"`
	Formats  map[string]Format `json:"formats"`
}

// Format holds three versions of a schema: the second may follow the first, the third must not follow the second.
type Format struct {
	First       string   `json:"first"`
	Second      string   `json:"second"`
	Breaking    string   `json:"breaking"`
	Record      Payment  `json:"record"`
	Payload     string   `json:"payload"` // Record, written by the Python serializer, in hex
	Contract    Contract `json:"contract"`
	Descriptors string   `json:"descriptors"` // of Second, a serialized FileDescriptorSet in base64; protobuf only
}

// Contract holds metadata and rules, as the API spells them, and the subject that gets them with the first version.
type Contract struct {
	Subject  string          `json:"subject"`
	Metadata json.RawMessage `json:"metadata"`
	RuleSet  json.RawMessage `json:"ruleSet"`
}

// Into fills a client's own types.
func (c Contract) Into(metadata, ruleSet any) error {
	if err := json.Unmarshal(c.Metadata, metadata); err != nil {
		return err
	}
	return json.Unmarshal(c.RuleSet, ruleSet)
}

// Payment is the record that the second version describes.
type Payment struct {
	ID    string `json:"id" avro:"id"`
	Cents int    `json:"cents" avro:"cents"`
	Note  string `json:"note" avro:"note"`
}

// Failure is how a client surfaced a refusal.
type Failure struct {
	Status  int    `json:"status,omitempty"`
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Report is what a client saw, format by format.
type Report struct {
	Version string                    `json:"version"`
	Formats map[string]map[string]any `json:"formats"`
}

// Run does `walk` for every format of the journey on standard input and prints the report; `module` is the client's.
func Run(module string, walk func(j Journey, name string, f Format, saw map[string]any) error) {
	var j Journey
	if err := json.NewDecoder(os.Stdin).Decode(&j); err != nil {
		fail("the journey cannot be read", err)
	}
	report := Report{Version: version(module), Formats: map[string]map[string]any{}}
	for name, format := range j.Formats {
		saw := map[string]any{}
		if err := walk(j, name, format, saw); err != nil {
			fail(fmt.Sprintf("%s, after %v", name, saw), err)
		}
		report.Formats[name] = saw
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		fail("the report cannot be written", err)
	}
}

// Bytes of the payload that the Python serializer wrote.
func (f Format) Bytes() ([]byte, error) { return hex.DecodeString(f.Payload) }

// Descriptor of the message Payment.
func (f Format) Descriptor() (protoreflect.MessageDescriptor, error) {
	raw, err := base64.StdEncoding.DecodeString(f.Descriptors)
	if err != nil {
		return nil, err
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(raw, &set); err != nil {
		return nil, err
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		return nil, err
	}
	found, err := files.FindDescriptorByName("shop.Payment")
	if err != nil {
		return nil, err
	}
	return found.(protoreflect.MessageDescriptor), nil
}

// Message is the record as a protobuf message of that descriptor.
func (f Format) Message() (*dynamicpb.Message, error) {
	descriptor, err := f.Descriptor()
	if err != nil {
		return nil, err
	}
	message, fields := dynamicpb.NewMessage(descriptor), descriptor.Fields()
	message.Set(fields.ByName("id"), protoreflect.ValueOfString(f.Record.ID))
	message.Set(fields.ByName("cents"), protoreflect.ValueOfInt32(int32(f.Record.Cents)))
	message.Set(fields.ByName("note"), protoreflect.ValueOfString(f.Record.Note))
	return message, nil
}

// FromMessage is the record that a protobuf message holds.
func FromMessage(message proto.Message) Payment {
	reflected := message.ProtoReflect()
	fields := reflected.Descriptor().Fields()
	return Payment{
		ID:    reflected.Get(fields.ByName("id")).String(),
		Cents: int(reflected.Get(fields.ByName("cents")).Int()),
		Note:  reflected.Get(fields.ByName("note")).String(),
	}
}

func version(module string) string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return dependency.Version
		}
	}
	return "unknown"
}

func fail(what string, err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
	os.Exit(1)
}
