using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Orderwright.Contracts.Json;
using static Orderwright.Contracts.ServiceNames;

namespace Orderwright.Contracts;

/// <summary>
/// Catalog of all messages: wire name, sender, destination, body. A new message is one line here and a record. Receivers
/// refuse a message from any other sender, and the rights of the broker's users follow from the same table.
/// </summary>
public static class MessageCatalog
{
    /// <param name="Senders">Sending services; none for a reply, which comes from the participant of its step.</param>
    sealed record Entry(string Type, IReadOnlyList<string> Senders, string Destination, Type Body, JsonTypeInfo Json)
    {
        public ReadBody? Reader { get; } = FastMessageReaders.Of(Body);
    }

    static readonly Entry[] Entries =
    [
        Of("orderwright.order.placed.v1", [Order], Coordinator, MessageJson.Default.OrderPlaced),
        Of("orderwright.order.cancel-requested.v1", [Order], Coordinator, MessageJson.Default.CancelRequested),
        Of("orderwright.saga.step-answered.v1", [], Coordinator, MessageJson.Default.StepAnswered),
        Of("orderwright.saga.ask.v1", [Stock], Coordinator, MessageJson.Default.AskSaga),
        Of("orderwright.stock.reserve.v1", [Coordinator], Stock, MessageJson.Default.ReserveStock),
        Of("orderwright.stock.commit.v1", [Coordinator], Stock, MessageJson.Default.CommitStock),
        Of("orderwright.stock.release.v1", [Coordinator], Stock, MessageJson.Default.ReleaseStock),
        Of("orderwright.stock.ship.v1", [Order], Stock, MessageJson.Default.ShipGoods),
        Of("orderwright.stock.release-unshipped.v1", [Order], Stock, MessageJson.Default.ReleaseUnshipped),
        Of("orderwright.stock.consume-unshipped.v1", [Order], Stock, MessageJson.Default.ConsumeUnshipped),
        Of("orderwright.stock.shipped.v1", [Stock], Order, MessageJson.Default.GoodsShipped),
        Of("orderwright.fulfilment.refused.v1", [Stock, Customer], Order, MessageJson.Default.FulfilmentRefused),
        Of("orderwright.order.ask.v1", [Customer], Order, MessageJson.Default.AskOrder),
        Of("orderwright.order.told.v1", [Order], Customer, MessageJson.Default.OrderTold),
        Of("orderwright.order.recall.v1", [Coordinator], Order, MessageJson.Default.RecallOrder),
        Of("orderwright.order.recalled.v1", [Order], Coordinator, MessageJson.Default.OrderRecalled),
        Of("orderwright.customer.erase.v1", [Customer], Order, MessageJson.Default.EraseCustomer),
        Of("orderwright.customer.erased.v1", [Order], Customer, MessageJson.Default.CustomerErased),
        Of("orderwright.customer.erase-notes.v1", [Customer], Coordinator, MessageJson.Default.EraseNotes),
        Of("orderwright.customer.notes-erased.v1", [Coordinator], Customer, MessageJson.Default.NotesErased),
        Of("orderwright.payment.authorize.v1", [Coordinator], Customer, MessageJson.Default.AuthorizePayment),
        Of("orderwright.payment.capture.v1", [Coordinator], Customer, MessageJson.Default.CapturePayment),
        Of("orderwright.payment.undo.v1", [Coordinator], Customer, MessageJson.Default.UndoPayment),
        Of("orderwright.payment.take-shipped.v1", [Order], Customer, MessageJson.Default.TakeShipped),
        Of("orderwright.payment.moved.v1", [Customer], Order, MessageJson.Default.PaymentMoved),
        Of("orderwright.payment.noted.v1", [Order], Customer, MessageJson.Default.PaymentNoted),
        Of("orderwright.order.waiting.v1", [Coordinator], Order, MessageJson.Default.OrderWaiting),
        Of("orderwright.order.confirmed.v1", [Coordinator], Order, MessageJson.Default.OrderConfirmed),
        Of("orderwright.order.rejected.v1", [Coordinator], Order, MessageJson.Default.OrderRejected),
        Of("orderwright.order.cancelled.v1", [Coordinator], Order, MessageJson.Default.OrderCancelled),
        Of("orderwright.order.expired.v1", [Coordinator], Order, MessageJson.Default.OrderExpired),
        Of("orderwright.database.mark.v1", [Order, Coordinator, Customer, Stock], Neighbours, MessageJson.Default.DatabaseMark),
    ];

    // Destination of an addressed message: the coordinator and each other service are neighbours.
    const string Neighbours = "";

    // Participants of the steps. A reply comes from the participant alone; a new step is one line here.
    static readonly FrozenDictionary<string, string> Participants = new Dictionary<string, string>
    {
        [StepNames.ReserveStock] = Stock,
        [StepNames.AuthorizePayment] = Customer,
        [StepNames.CommitStock] = Stock,
        [StepNames.CapturePayment] = Customer,
    }.ToFrozenDictionary();

    static readonly FrozenDictionary<Type, Entry> ByBody = Entries.ToFrozenDictionary(entry => entry.Body);
    static readonly FrozenDictionary<string, Entry> ByType = Entries.ToFrozenDictionary(entry => entry.Type);

    public static IEnumerable<string> Types => Entries.Select(entry => entry.Type);

    public static string TypeOf(IMessageBody body) => ByBody[body.GetType()].Type;

    public static string DestinationOf(IMessageBody body) =>
        body is IAddressedBody addressed ? addressed.To : ByBody[body.GetType()].Destination;

    /// <summary>Services that exchange messages in both directions with a service.</summary>
    public static IReadOnlyList<string> NeighboursOf(string service) =>
        service == Coordinator ? [Order, Customer, Stock] : [Coordinator];

    /// <summary>
    /// Services that send a body: for a reply the participant of its step, otherwise independent of the step. Empty for a
    /// reply to an unknown step.
    /// </summary>
    public static IReadOnlyList<string> SendersOf(IMessageBody body, string? step) => SendersOf(ByBody[body.GetType()], step);

    /// <summary>True if a message with a wire name and a step travels from one service to the other.</summary>
    public static bool Travels(string type, string? step, string? from, string to) =>
        ByType.GetValueOrDefault(type) is { } entry && from is not null && DestinationsOf(entry, from).Contains(to)
        && SendersOf(entry, step).Contains(from);

    /// <summary>
    /// True for a message that no customer waits for: the order is decided, and what is left is the allocation of its goods, the
    /// capture and its news. Such messages may be sent together with later ones.
    /// </summary>
    public static bool MayWait(IMessageBody body, string? step) => body switch
    {
        CommitStock or CapturePayment or PaymentMoved or PaymentNoted => true,
        StepAnswered { Undo: false } => step is StepNames.CommitStock or StepNames.CapturePayment,
        // The second one: the first, at the pivot, has no reply to the capture.
        OrderConfirmed confirmed => confirmed.Steps.Any(
            stamp => stamp is { Step: StepNames.CapturePayment, AnsweredAt: not null }),
        _ => false,
    };

    /// <summary>Services that receive a message with this wire name.</summary>
    public static IReadOnlyList<string> ReceiversOf(string type)
    {
        var destination = ByType[type].Destination;
        return destination == Neighbours ? All : [destination];
    }

    /// <summary>Services that receive messages from a service.</summary>
    public static IEnumerable<string> DestinationsOf(string sender) => Entries
        .Where(entry => (entry.Senders.Count > 0 ? entry.Senders : Participants.Values).Contains(sender))
        .SelectMany(entry => DestinationsOf(entry, sender)).Distinct();

    /// <summary>Serializer metadata of the body with this wire name; null for an unknown name.</summary>
    public static JsonTypeInfo? JsonOf(string type) => ByType.GetValueOrDefault(type)?.Json;

    /// <summary>Reads a body; null for an unknown wire name. Throws <see cref="JsonException"/> for invalid data.</summary>
    public static IMessageBody? Read(string type, ReadOnlySpan<byte> json)
    {
        if (ByType.GetValueOrDefault(type) is not { } entry) return null;
        if (entry.Reader is not { } read)
            return (IMessageBody)(JsonSerializer.Deserialize(json, entry.Json)
                ?? throw new JsonException("The event has no 'data'."));
        var reader = new Utf8JsonReader(json);
        reader.Read();
        return read(ref reader);
    }

    /// <summary>Returns the place in a refused body, as a JSON path; null if unknown.</summary>
    internal static string? FaultIn(string type, ReadOnlySpan<byte> json)
    {
        try
        {
            if (ByType.GetValueOrDefault(type) is { } entry) JsonSerializer.Deserialize(json, entry.Json);
            return null;
        }
        catch (JsonException error)
        {
            return error.Path;
        }
    }

    static IReadOnlyList<string> DestinationsOf(Entry entry, string sender) =>
        entry.Destination == Neighbours ? NeighboursOf(sender) : [entry.Destination];

    static IReadOnlyList<string> SendersOf(Entry entry, string? step) =>
        entry.Senders.Count > 0 ? entry.Senders
        : step is not null && Participants.TryGetValue(step, out var participant) ? [participant]
        : [];

    static Entry Of<T>(string type, IReadOnlyList<string> senders, string destination, JsonTypeInfo<T> json)
        where T : IMessageBody => new(type, senders, destination, typeof(T), json);
}

/// <summary>
/// Source-generated JSON of the message bodies. Unknown properties are skipped, because a newer sender may send more than an
/// older receiver knows. A missing required property is an error, and the message becomes a dead letter.
/// </summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    // As in the readers by hand, and in CloudEvents.
    PropertyNameCaseInsensitive = false,
    UseStringEnumConverter = true,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(Rfc3339Converter), typeof(DurationConverter)],
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TimeSpan?))]
[JsonSerializable(typeof(IReadOnlyList<OrderLine>))]
[JsonSerializable(typeof(OrderPlaced))]
[JsonSerializable(typeof(CancelRequested))]
[JsonSerializable(typeof(StepAnswered))]
[JsonSerializable(typeof(ReserveStock))]
[JsonSerializable(typeof(CommitStock))]
[JsonSerializable(typeof(ReleaseStock))]
[JsonSerializable(typeof(AuthorizePayment))]
[JsonSerializable(typeof(Resolution))]
[JsonSerializable(typeof(CapturePayment))]
[JsonSerializable(typeof(UndoPayment))]
[JsonSerializable(typeof(OrderConfirmed))]
[JsonSerializable(typeof(OrderRejected))]
[JsonSerializable(typeof(OrderCancelled))]
[JsonSerializable(typeof(OrderExpired))]
[JsonSerializable(typeof(PaymentMoved))]
[JsonSerializable(typeof(PaymentNoted))]
[JsonSerializable(typeof(ShipGoods))]
[JsonSerializable(typeof(ReleaseUnshipped))]
[JsonSerializable(typeof(ConsumeUnshipped))]
[JsonSerializable(typeof(GoodsShipped))]
[JsonSerializable(typeof(TakeShipped))]
[JsonSerializable(typeof(FulfilmentRefused))]
[JsonSerializable(typeof(AskSaga))]
[JsonSerializable(typeof(RecallOrder))]
[JsonSerializable(typeof(OrderRecalled))]
[JsonSerializable(typeof(AskOrder))]
[JsonSerializable(typeof(OrderTold))]
[JsonSerializable(typeof(EraseCustomer))]
[JsonSerializable(typeof(CustomerErased))]
[JsonSerializable(typeof(EraseNotes))]
[JsonSerializable(typeof(NotesErased))]
[JsonSerializable(typeof(OrderWaiting))]
[JsonSerializable(typeof(DatabaseMark))]
public sealed partial class MessageJson : JsonSerializerContext;
