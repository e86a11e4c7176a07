// franz-go's registry client (pkg/sr) and its Serde, unmodified.
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/sr"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"sluice.test/clients/journey"
)

func main() { journey.Run("github.com/twmb/franz-go/pkg/sr", walk) }

func walk(j journey.Journey, name string, f journey.Format, saw map[string]any) error {
	ctx := context.Background()
	subject := j.Prefix + "-" + name + "-value"
	var type_ sr.SchemaType
	if err := type_.UnmarshalText([]byte(name)); err != nil {
		return err
	}
	schema := func(text string) sr.Schema { return sr.Schema{Schema: text, Type: type_} }
	client, err := sr.NewClient(sr.URLs(j.Registry))
	if err != nil {
		return err
	}
	first, err := client.CreateSchema(ctx, subject, schema(f.First))
	if err != nil {
		return err
	}
	again, err := client.CreateSchema(ctx, subject, schema(f.First))
	if err != nil {
		return err
	}
	if saw["second"], err = client.RegisterSchema(ctx, subject, schema(f.Second), -1, -1); err != nil {
		return err
	}
	saw["first"], saw["again"] = first.ID, again.ID
	if _, err = client.CreateSchema(ctx, subject, schema(f.Breaking)); err == nil {
		return errors.New("the breaking schema was registered")
	}
	saw["refused"] = failure(err)
	fits, err := client.CheckCompatibility(ctx, subject, 1, schema(f.Second))
	if err != nil {
		return err
	}
	breaks, err := client.CheckCompatibility(sr.WithParams(ctx, sr.Verbose), subject, -1, schema(f.Breaking))
	if err != nil {
		return err
	}
	saw["compatible"] = []bool{fits.Is, breaks.Is}
	saw["why_not"] = breaks.Messages
	if saw["versions"], err = client.SubjectVersions(ctx, subject); err != nil {
		return err
	}
	latest, err := client.SchemaByVersion(ctx, subject, -1)
	if err != nil {
		return err
	}
	saw["latest"] = map[string]any{"id": latest.ID, "version": latest.Version, "schema": latest.Schema.Schema}
	byID, err := client.SchemaByID(ctx, first.ID)
	if err != nil {
		return err
	}
	saw["by_id"] = byID.Schema
	byGUID, err := client.SchemaByGUID(ctx, latest.GUID)
	if err != nil {
		return err
	}
	saw["by_guid"] = byGUID.Schema.Schema
	if saw["text"], err = client.SchemaTextByVersion(ctx, subject, 1); err != nil {
		return err
	}
	found, err := client.LookupSchema(ctx, subject, schema(f.First))
	if err != nil {
		return err
	}
	saw["looked_up"] = found.Version
	if saw["uses"], err = client.SchemaVersionsByID(ctx, latest.ID); err != nil {
		return err
	}
	all, err := client.Schemas(ctx, subject)
	if err != nil {
		return err
	}
	saw["all"] = len(all)
	_, err = client.SchemaByVersion(ctx, subject+"-missing", -1)
	saw["missing"] = failure(err)
	unset := client.Compatibility(ctx, subject)[0]
	saw["no_level"] = failure(unset.Err)
	if set := client.SetCompatibility(ctx, sr.SetCompatibility{Level: sr.CompatFull}, subject)[0]; set.Err != nil {
		return set.Err
	}
	level := client.Compatibility(ctx, subject)[0]
	if level.Err != nil {
		return level.Err
	}
	saw["level"] = level.Level.String()
	ruled := schema(f.First)
	ruled.SchemaMetadata, ruled.SchemaRuleSet = &sr.SchemaMetadata{}, &sr.SchemaRuleSet{}
	if err := f.Contract.Into(ruled.SchemaMetadata, ruled.SchemaRuleSet); err != nil {
		return err
	}
	if _, err := client.CreateSchema(ctx, f.Contract.Subject, ruled); err != nil {
		return err
	}
	kept, err := client.SchemaByVersion(ctx, f.Contract.Subject, -1)
	if err != nil {
		return err
	}
	saw["contract"] = map[string]any{"metadata": kept.SchemaMetadata, "ruleSet": kept.SchemaRuleSet}
	if err := writeAndRead(name, latest.ID, f, saw); err != nil {
		return err
	}
	if err := client.DeleteSchema(ctx, subject, 1, sr.SoftDelete); err != nil {
		return err
	}
	if saw["deleted"], err = client.DeleteSubject(ctx, subject, sr.SoftDelete); err != nil {
		return err
	}
	saw["purged"], err = client.DeleteSubject(ctx, subject, sr.HardDelete)
	return err
}

func failure(err error) any {
	var refused *sr.ResponseError
	if !errors.As(err, &refused) {
		return fmt.Sprintf("%T: %v", err, err)
	}
	return journey.Failure{Status: refused.StatusCode, Code: refused.ErrorCode, Message: refused.Message}
}

func writeAndRead(name string, id int, f journey.Format, saw map[string]any) error {
	payload, err := f.Bytes()
	if err != nil {
		return err
	}
	var serde sr.Serde
	var record any = f.Record
	switch name {
	case "AVRO":
		schema, err := avro.Parse(f.Second)
		if err != nil {
			return err
		}
		serde.Register(id, journey.Payment{},
			sr.EncodeFn(func(v any) ([]byte, error) { return avro.Marshal(schema, v) }),
			sr.DecodeFn(func(b []byte, v any) error { return avro.Unmarshal(schema, b, v) }))
	case "JSON":
		serde.Register(id, journey.Payment{}, sr.EncodeFn(json.Marshal), sr.DecodeFn(json.Unmarshal))
	case "PROTOBUF":
		message, err := f.Message()
		if err != nil {
			return err
		}
		record = message
		serde.Register(id, &dynamicpb.Message{}, sr.Index(0),
			sr.EncodeFn(func(v any) ([]byte, error) { return proto.Marshal(v.(proto.Message)) }),
			sr.DecodeFn(func(b []byte, v any) error { return proto.Unmarshal(b, v.(proto.Message)) }))
	default:
		return fmt.Errorf("no encoding for %s", name)
	}
	written, err := serde.Encode(record)
	if err != nil {
		return err
	}
	saw["written"] = hex.EncodeToString(written)
	if name == "PROTOBUF" {
		descriptor, err := f.Descriptor()
		if err != nil {
			return err
		}
		read := dynamicpb.NewMessage(descriptor)
		if err := serde.Decode(payload, read); err != nil {
			return err
		}
		saw["read"] = journey.FromMessage(read)
		return nil
	}
	var read journey.Payment
	err = serde.Decode(payload, &read)
	saw["read"] = read
	return err
}
