using System.Collections.Frozen;
using System.Text.Json;
using Orderwright.Contracts.Json;

namespace Orderwright.Contracts;

/// <summary>Reads a body from its first token to its last. Throws <see cref="JsonException"/> for anything else.</summary>
delegate IMessageBody ReadBody(ref Utf8JsonReader reader);

/// <summary>
/// Readers for the message bodies that every order has at least once. They take a sixth of the serializer's time, which fills
/// constructors through boxed arguments, and accept the same JSON: unknown properties are skipped, missing ones throw. All
/// other bodies are read, and all bodies are written, by <see cref="MessageJson"/>.
/// </summary>
static class FastMessageReaders
{
    static readonly FrozenDictionary<Type, ReadBody> Readers = new Dictionary<Type, ReadBody>
    {
        [typeof(OrderPlaced)] = ReadOrderPlaced,
        [typeof(StepAnswered)] = ReadStepAnswered,
        [typeof(ReserveStock)] = ReadReserveStock,
        [typeof(CommitStock)] = ReadCommitStock,
        [typeof(AuthorizePayment)] = ReadAuthorizePayment,
        [typeof(OrderConfirmed)] = ReadOrderConfirmed,
    }.ToFrozenDictionary();

    /// <summary>Reader of a body type; null if the serializer reads it.</summary>
    public static ReadBody? Of(Type body) => Readers.GetValueOrDefault(body);

    static OrderPlaced ReadOrderPlaced(ref Utf8JsonReader reader)
    {
        string? customer = null, currency = null, capture = null, channel = null, reference = null;
        IReadOnlyList<OrderLine>? lines = null;
        PaymentMethod? payment = null;
        long? adjustments = null;
        bool? maySetPrice = null;
        reader.Expect(JsonTokenType.StartObject);
        while (reader.NextProperty())
            if (reader.Is("customerId"u8)) customer = reader.GetString();
            else if (reader.Is("currency"u8)) currency = reader.GetString();
            else if (reader.Is("lines"u8)) lines = ReadLines(ref reader);
            else if (reader.Is("adjustmentsMinor"u8)) adjustments = reader.GetInt64();
            else if (reader.Is("payment"u8)) payment = ReadPaymentMethod(ref reader);
            else if (reader.Is("maySetPrice"u8)) maySetPrice = reader.GetBoolean();
            else if (reader.Is("capture"u8)) capture = reader.GetString();
            // Release 0.1.0 wrote "merchant".
            else if (reader.Is("channel"u8) || reader.Is("merchant"u8)) channel = reader.GetString();
            else if (reader.Is("reference"u8)) reference = reader.GetString();
            else reader.SkipValue();
        return new OrderPlaced(
            customer ?? throw Missing("customerId"), currency ?? throw Missing("currency"), lines ?? throw Missing("lines"),
            adjustments ?? throw Missing("adjustmentsMinor"), payment ?? throw Missing("payment"),
            maySetPrice ?? throw Missing("maySetPrice"), capture, channel, reference);
    }

    static StepAnswered ReadStepAnswered(ref Utf8JsonReader reader)
    {
        bool? undo = null;
        StepOutcome? outcome = null;
        string? code = null, message = null, action = null, detail = null;
        TimeSpan? retryAfter = null;
        IReadOnlyList<OrderLine>? priced = null;
        PaymentTotals? payment = null;
        reader.Expect(JsonTokenType.StartObject);
        while (reader.NextProperty())
            if (reader.Is("undo"u8)) undo = reader.GetBoolean();
            else if (reader.Is("outcome"u8)) outcome = ReadOutcome(ref reader);
            else if (reader.Is("code"u8)) code = reader.GetString();
            else if (reader.Is("message"u8)) message = reader.GetString();
            else if (reader.Is("retryAfter"u8))
                retryAfter = JsonSerializer.Deserialize(ref reader, MessageJson.Default.NullableTimeSpan);
            else if (reader.Is("action"u8)) action = reader.GetString();
            else if (reader.Is("priced"u8)) priced = reader.IsNull() ? null : ReadLines(ref reader);
            else if (reader.Is("payment"u8)) payment = reader.IsNull() ? null : ReadTotals(ref reader);
            else if (reader.Is("detail"u8)) detail = reader.IsNull() ? null : RawJsonConverter.Read(ref reader);
            else reader.SkipValue();
        return new StepAnswered(
            undo ?? throw Missing("undo"), outcome ?? throw Missing("outcome"), code, message, retryAfter, action, priced,
            payment, detail);
    }

    static ReserveStock ReadReserveStock(ref Utf8JsonReader reader)
    {
        string? currency = null;
        IReadOnlyList<OrderLine>? lines = null;
        bool? maySetPrice = null;
        reader.Expect(JsonTokenType.StartObject);
        while (reader.NextProperty())
            if (reader.Is("currency"u8)) currency = reader.GetString();
            else if (reader.Is("lines"u8)) lines = ReadLines(ref reader);
            else if (reader.Is("maySetPrice"u8)) maySetPrice = reader.GetBoolean();
            else reader.SkipValue();
        return new ReserveStock(
            currency ?? throw Missing("currency"), lines ?? throw Missing("lines"),
            maySetPrice ?? throw Missing("maySetPrice"));
    }

    static CommitStock ReadCommitStock(ref Utf8JsonReader reader)
    {
        string? currency = null;
        IReadOnlyList<OrderLine>? lines = null;
        reader.Expect(JsonTokenType.StartObject);
        while (reader.NextProperty())
            if (reader.Is("currency"u8)) currency = reader.GetString();
            else if (reader.Is("lines"u8)) lines = reader.IsNull() ? null : ReadLines(ref reader);
            else reader.SkipValue();
        return new CommitStock(currency, lines);
    }

    static AuthorizePayment ReadAuthorizePayment(ref Utf8JsonReader reader)
    {
        string? customer = null, currency = null, channel = null;
        long? amount = null;
        PaymentMethod? payment = null;
        Resolution? resolution = null;
        reader.Expect(JsonTokenType.StartObject);
        while (reader.NextProperty())
            if (reader.Is("customerId"u8)) customer = reader.GetString();
            else if (reader.Is("resolution"u8))
                resolution = JsonSerializer.Deserialize(ref reader, MessageJson.Default.Resolution);
            else if (reader.Is("amountMinor"u8)) amount = reader.GetInt64();
            else if (reader.Is("currency"u8)) currency = reader.GetString();
            else if (reader.Is("payment"u8)) payment = ReadPaymentMethod(ref reader);
            else if (reader.Is("channel"u8)) channel = reader.GetString();
            else reader.SkipValue();
        return new AuthorizePayment(
            customer ?? throw Missing("customerId"), amount ?? throw Missing("amountMinor"),
            currency ?? throw Missing("currency"), payment ?? throw Missing("payment"), resolution, channel);
    }

    static OrderConfirmed ReadOrderConfirmed(ref Utf8JsonReader reader)
    {
        IReadOnlyList<OrderLine>? lines = null;
        long? total = null;
        PaymentTotals? payment = null;
        IReadOnlyList<StepStamp>? steps = null;
        reader.Expect(JsonTokenType.StartObject);
        while (reader.NextProperty())
            if (reader.Is("lines"u8)) lines = ReadLines(ref reader);
            else if (reader.Is("totalMinor"u8)) total = reader.GetInt64();
            else if (reader.Is("payment"u8)) payment = ReadTotals(ref reader);
            else if (reader.Is("steps"u8)) steps = ReadStamps(ref reader);
            else reader.SkipValue();
        return new OrderConfirmed(
            lines ?? throw Missing("lines"), total ?? throw Missing("totalMinor"), payment ?? throw Missing("payment"),
            steps ?? throw Missing("steps"));
    }

    static OrderLine[] ReadLines(ref Utf8JsonReader reader)
    {
        var lines = new List<OrderLine>(4);
        reader.Expect(JsonTokenType.StartArray);
        while (reader.NextElement()) lines.Add(ReadLine(ref reader));
        return [.. lines];
    }

    static OrderLine ReadLine(ref Utf8JsonReader reader)
    {
        int? number = null, quantity = null;
        string? sku = null;
        long? price = null;
        reader.Expect(JsonTokenType.StartObject);
        while (reader.NextProperty())
            if (reader.Is("line"u8)) number = reader.GetInt32();
            else if (reader.Is("sku"u8)) sku = reader.GetString();
            else if (reader.Is("quantity"u8)) quantity = reader.GetInt32();
            else if (reader.Is("unitPrice"u8)) price = reader.IsNull() ? null : reader.GetInt64();
            else reader.SkipValue();
        return new OrderLine(
            number ?? throw Missing("line"), sku ?? throw Missing("sku"), quantity ?? throw Missing("quantity"), price);
    }

    static StepStamp[] ReadStamps(ref Utf8JsonReader reader)
    {
        var stamps = new List<StepStamp>(4);
        reader.Expect(JsonTokenType.StartArray);
        while (reader.NextElement())
        {
            string? step = null, outcome = null, code = null, detail = null;
            bool? undo = null;
            DateTimeOffset? sentAt = null, answeredAt = null;
            int? attempts = null;
            reader.Expect(JsonTokenType.StartObject);
            while (reader.NextProperty())
                if (reader.Is("step"u8)) step = reader.GetString();
                else if (reader.Is("undo"u8)) undo = reader.GetBoolean();
                else if (reader.Is("outcome"u8)) outcome = reader.GetString();
                else if (reader.Is("code"u8)) code = reader.GetString();
                else if (reader.Is("sentAt"u8)) sentAt = reader.GetTime();
                else if (reader.Is("answeredAt"u8)) answeredAt = reader.IsNull() ? null : reader.GetTime();
                else if (reader.Is("attempts"u8)) attempts = reader.GetInt32();
                else if (reader.Is("detail"u8)) detail = reader.IsNull() ? null : RawJsonConverter.Read(ref reader);
                else reader.SkipValue();
            stamps.Add(new StepStamp(
                step ?? throw Missing("step"), undo ?? throw Missing("undo"), outcome ?? throw Missing("outcome"),
                sentAt ?? throw Missing("sentAt"), attempts ?? throw Missing("attempts"), code, answeredAt, detail));
        }
        return [.. stamps];
    }

    static PaymentMethod ReadPaymentMethod(ref Utf8JsonReader reader)
    {
        string? provider = null, token = null;
        reader.Expect(JsonTokenType.StartObject);
        while (reader.NextProperty())
            if (reader.Is("provider"u8)) provider = reader.GetString();
            else if (reader.Is("token"u8)) token = reader.GetString();
            else reader.SkipValue();
        return new PaymentMethod(provider ?? throw Missing("provider"), token);
    }

    static PaymentTotals ReadTotals(ref Utf8JsonReader reader)
    {
        long? authorized = null, captured = null, refunded = null;
        long version = 0;
        bool? voided = null;
        reader.Expect(JsonTokenType.StartObject);
        while (reader.NextProperty())
            if (reader.Is("authorizedMinor"u8)) authorized = reader.GetInt64();
            else if (reader.Is("capturedMinor"u8)) captured = reader.GetInt64();
            else if (reader.Is("refundedMinor"u8)) refunded = reader.GetInt64();
            else if (reader.Is("voided"u8)) voided = reader.GetBoolean();
            else if (reader.Is("version"u8)) version = reader.GetInt64();
            else reader.SkipValue();
        return new PaymentTotals(
            authorized ?? throw Missing("authorizedMinor"), captured ?? throw Missing("capturedMinor"),
            refunded ?? throw Missing("refundedMinor"), voided ?? throw Missing("voided"), version);
    }

    // Nearly every reply is completed: recognized without the enum's table of names.
    static StepOutcome ReadOutcome(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("completed"u8)
            ? StepOutcome.Completed
            : JsonSerializer.Deserialize(ref reader, MessageJson.Default.StepOutcome);

    static JsonException Missing(string name) => new($"The data has no '{name}'.");
}
