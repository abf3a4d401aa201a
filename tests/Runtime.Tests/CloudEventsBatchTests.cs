using System.Buffers;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Contracts;

namespace Orderwright.Runtime.Tests;

public sealed class CloudEventsBatchTests
{
    static readonly Message Good = Commands.Of(new UndoPayment("customer")) with { Attempt = 2 };

    static readonly string GoodText = Text([Good])[1..^1];

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("42")]
    [InlineData("\"text\"")]
    [InlineData("not json")]
    [InlineData("<xml/>")]
    [InlineData("\0\0\0")]
    [InlineData("]")]
    [InlineData("[")]
    [InlineData("[,]")]
    [InlineData("[1,2")]
    public void A_body_other_than_an_array_is_unreadable_as_a_whole_or_in_part(string body)
    {
        var (messages, unreadable) = Read(body);
        Assert.Empty(messages);
        Assert.NotEmpty(unreadable);
        Assert.All(unreadable, part => Assert.NotEmpty(part.Why));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("1")]
    [InlineData("[]")]
    [InlineData("[[[[[[]]]]]]")]
    [InlineData("\"\"")]
    [InlineData("{}")]
    [InlineData("""{"specversion":"1.0"}""")]
    [InlineData("""{"type":1}""")]
    [InlineData("""{"type":{"a":[1,2,{"b":3}]}}""")]
    [InlineData("""{"id":"\ud800"}""")]
    [InlineData("""{"step":7,"type":null}""")]
    public void An_event_that_is_none_is_unreadable_alone(string part)
    {
        var (messages, unreadable) = Read($"[{GoodText},{part},{GoodText}]");
        Assert.Equal([Good, Good], messages);
        Assert.Equal(part, Assert.Single(unreadable).Raw);
    }

    [Fact]
    public void An_oversized_part_is_unreadable_with_its_name_size_and_limit()
    {
        var long1 = new string('x', MessageLimits.FieldBytes + 1);
        var field = Text([Good with { Body = new UndoPayment(long1) }])[1..^1];
        var attribute = Text([Good with { Step = new string('s', 600) }])[1..^1];
        var entries = Text([Good with { Body = new ReserveStock(
            "GBP", [.. Enumerable.Range(1, 2_001).Select(line => new OrderLine(line, "A", 1))], false) }])[1..^1];
        var texts = string.Join(',', Enumerable.Repeat($"\"{new string('y', 10_000)}\"", 110));
        var large = "{\"data\":[" + texts + "]}";

        var (messages, unreadable) = Read($"[{GoodText},{field},{attribute},{entries},{large},{GoodText}]");

        Assert.Equal([Good, Good], messages);
        Assert.Equal(
            [
                "The field 'reason' has 16385 bytes; at most 16384 are accepted.",
                "The attribute 'step' has 600 bytes; at most 512 are accepted.",
                "The field 'lines' has more than 2000 entries.",
                $"The event has {large.Length} bytes; at most 1048576 are accepted.",
            ],
            unreadable.Select(part => part.Why));
        Assert.Equal(MessageLimits.KeptBytes, unreadable[3].Raw.Length);
        Assert.Equal((Good.OrderId, Good.Type), (unreadable[0].OrderId!.Value, unreadable[0].Type));
    }

    [Fact]
    public void A_body_with_too_many_bytes_or_events_is_unreadable_as_a_whole()
    {
        var (messages, unreadable) = Read($"[{string.Join(',', Enumerable.Repeat(GoodText, MessageLimits.Events + 1))}]");
        Assert.Empty(messages);
        Assert.Equal("The body holds more than 8192 events.", Assert.Single(unreadable).Why);

        (messages, unreadable) = Read(new string(' ', MessageLimits.BodyBytes + 1));
        Assert.Empty(messages);
        Assert.Equal("The body has 10485761 bytes; at most 10485760 are accepted.", Assert.Single(unreadable).Why);
        Assert.Equal(MessageLimits.KeptBytes, unreadable[0].Raw.Length);
    }

    [Theory]
    [InlineData("specversion", "\"2.0\"")]
    [InlineData("specversion", null)]
    [InlineData("id", "7")]
    [InlineData("id", "\"\"")]
    [InlineData("id", null)]
    [InlineData("source", null)]
    [InlineData("source", "{}")]
    [InlineData("type", "\"orderwright.payment.undo.v2\"")]
    [InlineData("type", null)]
    [InlineData("subject", "\"536365\"")]
    [InlineData("subject", null)]
    [InlineData("time", "\"yesterday\"")]
    [InlineData("time", "1769850600")]
    [InlineData("attempt", "\"2\"")]
    [InlineData("attempt", "1e40")]
    [InlineData("deadline", "true")]
    [InlineData("traceparent", "[]")]
    [InlineData("data", "null")]
    [InlineData("data", "[]")]
    [InlineData("data", "{}")]
    [InlineData("data", """{"reason":null}""")]
    [InlineData("data", """{"reason":5}""")]
    [InlineData("data", null)]
    public void An_event_with_a_wrong_or_missing_attribute_is_unreadable_alone(string name, string? value)
    {
        var part = With(name, value);
        var (messages, unreadable) = Read($"[{GoodText},{part},{GoodText}]");
        Assert.Equal([Good, Good], messages);
        var why = Assert.Single(unreadable);
        Assert.Equal(part, why.Raw);
        if (name is "data" or "time" or "specversion") Assert.Equal(Good.OrderId, why.OrderId);
    }

    [Fact]
    public void A_single_event_without_a_time_and_with_any_id_is_read()
    {
        var other = With("id", "\"order 7, attempt 2\"").Replace("\"time\"", "\"created\"", StringComparison.Ordinal);
        var (messages, unreadable) = Read($" {other} ");
        Assert.Empty(unreadable);
        var read = Assert.Single(messages);
        Assert.NotEqual(Guid.Empty, read.Id);
        Assert.Equal(Good with { Id = read.Id }, read);
        Assert.Equal(read, Assert.Single(Read($"[{Text([read])[1..^1]}]").Messages));
    }

    [Theory]
    [InlineData("data", """{"reason":5}""", "The data is incomplete, or has an unexpected type or value, at '$.reason'.")]
    [InlineData("data", "{}", "The data is incomplete, or has an unexpected type or value, at '$'.")]
    [InlineData("id", "{}", "The attribute 'id' is not text.")]
    [InlineData("attempt", "\"2\"", "The attribute 'attempt' is not a whole number.")]
    [InlineData("subject", "\"536365\"", "The attribute 'subject' is not a UUID.")]
    public void The_reason_speaks_of_the_event_and_names_its_source(string name, string value, string why)
    {
        var part = Assert.Single(Read($"[{With(name, value)}]").Unreadable);
        Assert.Equal(why, part.Why);
        Assert.Equal("/orderwright/saga-coordinator", part.Source);
    }

    [Theory]
    [InlineData("PT1S", 1.0)]
    [InlineData("PT1M30.5S", 90.5)]
    [InlineData("P1D", 86_400.0)]
    [InlineData("00:00:05", 5.0)]
    [InlineData("P1M", null)]
    [InlineData("5", null)]
    [InlineData("soon", null)]
    public void A_duration_is_written_as_ISO_8601_and_read_in_either_form(string text, double? seconds)
    {
        var answered = Commands.Of(new StepAnswered(false, StepOutcome.Retry, RetryAfter: TimeSpan.FromSeconds(seconds ?? 1)));
        var wire = Text([answered]);
        var written = System.Xml.XmlConvert.ToString(TimeSpan.FromSeconds(seconds ?? 1));
        Assert.Contains($"\"retryAfter\":\"{written}\"", wire, StringComparison.Ordinal);
        var (messages, unreadable) = Read(wire.Replace($"\"{written}\"", $"\"{text}\"", StringComparison.Ordinal));
        if (seconds is null)
            Assert.Equal(
                "The data is incomplete, or has an unexpected type or value, at '$.retryAfter'.",
                Assert.Single(unreadable).Why);
        else
            Assert.Equal(answered, Assert.Single(messages));
    }

    [Fact]
    public void Complete_events_of_a_truncated_body_are_read_and_the_rest_is_unreadable()
    {
        var body = Encoding.UTF8.GetBytes($"[{GoodText},{GoodText},{GoodText}]");
        for (var length = 0; length < body.Length; length++)
        {
            var (messages, unreadable) = CloudEventsBatch.Read(body.AsMemory(0, length), default);
            var complete = Enumerable.Range(1, 3).Count(n => length >= 1 + n * GoodText.Length + (n - 1));
            Assert.Equal(complete, messages.Count);
            Assert.Single(unreadable);
        }
    }

    [Fact]
    public void Whichever_byte_is_wrong_nothing_is_thrown_and_no_neighbour_changes()
    {
        var body = Encoding.UTF8.GetBytes($"[{GoodText},{GoodText}]");
        foreach (var wrong in new byte[] { 0, (byte)'"', (byte)'{', (byte)']', (byte)'\\', 0x80, 0xff })
            for (var i = 0; i < body.Length; i++)
            {
                var copy = body.ToArray();
                copy[i] = wrong;
                var (messages, _) = CloudEventsBatch.Read(copy, default);
                // The part after the comma is before the byte, or after.
                if (i > 2 + GoodText.Length) Assert.Equal(Good, messages[0]);
            }
    }

    [Fact]
    public void Random_bytes_are_unreadable_and_throw_nothing()
    {
        for (var seed = 0; seed < 2_000; seed++)
        {
            var random = new Random(seed);
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            if (bytes.Length > 0 && seed % 2 == 0) bytes[0] = (byte)'[';
            Assert.NotEmpty(CloudEventsBatch.Read(bytes, default).Unreadable);
        }
    }

    [Fact]
    public void Nesting_without_end_is_unreadable()
    {
        var deep = string.Concat(Enumerable.Repeat("[", 100_000));
        Assert.NotEmpty(Read(deep).Unreadable);
        Assert.NotEmpty(Read($"[{GoodText},{deep}").Unreadable);
        Assert.Equal([Good], Read($"[{GoodText},{deep}").Messages);
    }

    [Fact]
    public void Attributes_may_come_in_any_order_with_others_among_them_and_an_empty_batch_is_fine()
    {
        using var document = JsonDocument.Parse(GoodText);
        var reversed = document.RootElement.EnumerateObject().Reverse()
            .Select(property => $"\"{property.Name}\": {property.Value.GetRawText()}");
        var (messages, unreadable) = Read(
            $$"""  [ { "partitionkey": {"a": [1]}, {{string.Join(" ,\n", reversed)}}, "dataschema": null } ]  """);
        Assert.Equal([Good], messages);
        Assert.Empty(unreadable);
        Assert.Equal(
            ([], []), Read("[]"),
            (left, right) => left.Item1.Count + right.Item1.Count + left.Item2.Count + right.Item2.Count == 0);
    }

    [Fact]
    public void Data_after_the_array_is_unreadable_and_the_array_is_read()
    {
        var (messages, unreadable) = Read($"[{GoodText}] and more");
        Assert.Equal([Good], messages);
        Assert.Single(unreadable);
    }

    [Fact]
    public void A_sender_may_leave_out_every_optional_field_of_a_message()
    {
        // Null is not written, so readers must not require the property.
        var nullability = new NullabilityInfoContext();
        var parameters =
            from type in typeof(MessageJson).Assembly.GetExportedTypes()
            where type.GetMethod("<Clone>$") is not null && type != typeof(Message)
            from parameter in type.GetConstructors().SelectMany(constructor => constructor.GetParameters())
            where nullability.Create(parameter).ReadState == NullabilityState.Nullable && !parameter.HasDefaultValue
            where type.GetProperty(parameter.Name!)!.GetCustomAttribute<JsonIgnoreAttribute>()?.Condition
                != JsonIgnoreCondition.Never
            select $"{type.Name}.{parameter.Name}";
        Assert.Empty(parameters);
    }

    [Fact]
    public void Outcomes_have_their_published_names()
    {
        foreach (var (outcome, name) in new[]
        {
            (StepOutcome.Completed, "completed"), (StepOutcome.Rejected, "rejected"), (StepOutcome.Retry, "retry"),
            (StepOutcome.Waiting, "waiting"), (StepOutcome.InDoubt, "indoubt"),
        })
        {
            var text = Text([Commands.Of(new StepAnswered(Undo: false, outcome))]);
            Assert.Contains($"\"outcome\":\"{name}\"", text, StringComparison.Ordinal);
        }
        var number = Text([Commands.Of(new StepAnswered(Undo: false, StepOutcome.Completed))])
            .Replace("\"completed\"", "0", StringComparison.Ordinal);
        Assert.Single(Read(number).Unreadable);
    }

    [Fact]
    public void A_batch_is_written_in_parts_of_about_a_size()
    {
        var messages = Commands.Many(100);
        var parts = new List<Message>();
        for (var next = 0; next < messages.Count;)
        {
            var output = new ArrayBufferWriter<byte>();
            next = CloudEventsBatch.Write(output, messages, next, maxBytes: 2_000);
            Assert.InRange(output.WrittenCount, 300, 2_500);
            parts.AddRange(CloudEventsBatch.Read(output.WrittenMemory, default).Messages);
        }
        Assert.Equal(messages, parts);
    }

    static (IReadOnlyList<Message> Messages, IReadOnlyList<UnreadableMessage> Unreadable) Read(string body) =>
        CloudEventsBatch.Read(Encoding.UTF8.GetBytes(body), Good.Time);

    static string Text(IReadOnlyList<Message> messages)
    {
        var output = new ArrayBufferWriter<byte>();
        CloudEventsBatch.Write(output, messages);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    static string With(string name, string? value)
    {
        using var document = JsonDocument.Parse(GoodText);
        var others = document.RootElement.EnumerateObject().Where(property => property.Name != name)
            .Select(property => $"\"{property.Name}\":{property.Value.GetRawText()}");
        return $"{{{string.Join(',', value is null ? others : others.Append($"\"{name}\":{value}"))}}}";
    }
}
