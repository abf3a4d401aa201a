using System.Buffers;
using System.Text.Json;
using Orderwright.Contracts;

namespace Orderwright.StepService;

/// <summary>Queues a call, once the saga that asks for the call is committed.</summary>
public delegate void TakeCall(Guid orderId, StepCall call);

/// <summary>
/// Command to a participant that is called over HTTP. The saga row is the stored intent: a call that is lost, with its process
/// or on the way, is made again from there.
/// </summary>
/// <param name="Step">Name of the step.</param>
/// <param name="Undo">True for the undo.</param>
/// <param name="Attempt">Number of the attempt, from 1.</param>
/// <param name="Deadline">Time at which the coordinator stops waiting.</param>
/// <param name="Endpoint">Address of the participant, without the step.</param>
/// <param name="Order">The order.</param>
/// <param name="TotalMinor">Amount to pay in minor units; null while a line has no price.</param>
/// <param name="Previous">Details of earlier participants, as JSON objects by step.</param>
/// <param name="TraceParent">The trace that placed the order.</param>
public sealed record StepCall(
    string Step, bool Undo, int Attempt, DateTimeOffset Deadline, string Endpoint, OrderPlaced Order, long? TotalMinor,
    IReadOnlyList<KeyValuePair<string, string>> Previous, string? TraceParent) : IMessageBody
{
    /// <summary>Name among the messages of a preview; never on the wire.</summary>
    public const string Type = "orderwright.step.call";

    public const string Do = "do";
    public const string UndoAction = "undo";

    public string Action => Undo ? UndoAction : Do;

    /// <summary>Host of the participant.</summary>
    public string Participant => new Uri(Endpoint).Authority;

    /// <summary>The same in every attempt: participants act once per key.</summary>
    public string KeyOf(Guid orderId) => $"{orderId:D}/{Step}/{Action}";

    /// <summary>Body of the request. Payment tokens stay here.</summary>
    public ReadOnlyMemory<byte> BodyOf(Guid orderId)
    {
        var buffer = new ArrayBufferWriter<byte>(1_024);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("orderId"u8, orderId);
        json.WriteString("step"u8, Step);
        json.WriteString("action"u8, Action);
        json.WriteNumber("attempt"u8, Attempt);
        json.WriteString("deadline"u8, Deadline);
        WriteOrder(json);
        json.WriteStartObject("previous"u8);
        foreach (var (step, detail) in Previous)
        {
            json.WritePropertyName(step);
            json.WriteRawValue(detail);
        }
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    void WriteOrder(Utf8JsonWriter json)
    {
        json.WriteStartObject("order"u8);
        json.WriteString("customerId"u8, Order.CustomerId);
        if (Order.Reference is not null) json.WriteString("reference"u8, Order.Reference);
        json.WriteString("currency"u8, Order.Currency);
        if (TotalMinor is { } total) json.WriteNumber("total"u8, total);
        json.WriteNumber("adjustments"u8, Order.AdjustmentsMinor);
        json.WriteString("paymentProvider"u8, Order.Payment.Provider);
        json.WriteStartArray("lines"u8);
        foreach (var line in Order.Lines)
        {
            json.WriteStartObject();
            json.WriteNumber("line"u8, line.Line);
            json.WriteString("sku"u8, line.Sku);
            json.WriteNumber("quantity"u8, line.Quantity);
            if (line.UnitPrice is { } price) json.WriteNumber("unitPrice"u8, price);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}

/// <summary>Result of a call.</summary>
/// <param name="Answer">Reply of the participant, or a request to call again.</param>
/// <param name="IsAnswered">False when the participant was unavailable; opens the circuit breaker.</param>
public sealed record StepResult(StepAnswered Answer, bool IsAnswered);
