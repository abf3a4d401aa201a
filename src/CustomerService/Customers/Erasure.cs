using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Contracts;

namespace Orderwright.CustomerService.Customers;

/// <summary>States of an erasure.</summary>
public static class ErasureStates
{
    /// <summary>
    /// order-service was asked whether orders are open. Meanwhile the customer accepts no credit and no payment.
    /// </summary>
    public const string Asked = "asked";

    /// <summary>order-service agreed, but money arrived meanwhile: it has to accept orders again.</summary>
    public const string Withdrawn = "withdrawn";

    /// <summary>Nothing was erased.</summary>
    public const string Refused = "refused";

    /// <summary>The customer is erased; texts elsewhere follow.</summary>
    public const string Erased = "erased";
}

/// <summary>Erasure of a customer, requested and perhaps carried out.</summary>
/// <param name="Id">UUIDv7; the subject of its messages.</param>
/// <param name="CustomerId">The customer.</param>
/// <param name="RequestedBy">Name of the caller.</param>
/// <param name="RequestedAt">Time of the request.</param>
/// <param name="State">One of <see cref="ErasureStates"/>.</param>
/// <param name="DecidedAt">Time of the erasure or the refusal.</param>
/// <param name="OpenOrders">Open orders, by the latest answer of order-service.</param>
/// <param name="OpenOrder">The first open order.</param>
/// <param name="Orders">All orders of the customer; null before order-service has erased their texts.</param>
/// <param name="Words">Name and e-mail address, until the coordinator has erased them.</param>
/// <param name="OrdersDone">order-service has erased the texts of all orders.</param>
/// <param name="NotesDone">The coordinator has erased its notes.</param>
/// <param name="AskedAt">Time of the latest question.</param>
/// <param name="NextAskAt">Time of the next question; null for none.</param>
public sealed record Erasure(
    Guid Id, string CustomerId, string RequestedBy, DateTimeOffset RequestedAt, string State, DateTimeOffset? DecidedAt,
    long OpenOrders, Guid? OpenOrder, long? Orders, IReadOnlyList<string> Words, bool OrdersDone, bool NotesDone,
    DateTimeOffset AskedAt, DateTimeOffset? NextAskAt)
{
    /// <summary>Stage of the message to order-service.</summary>
    public string Stage => State switch
    {
        ErasureStates.Asked => ErasureStages.Ask,
        ErasureStates.Erased => ErasureStages.Decided,
        _ => ErasureStages.Withdrawn,
    };

    /// <summary>JSON for the column <c>words</c>; null for none.</summary>
    public static string? WriteWords(IReadOnlyList<string> words) =>
        words.Count == 0 ? null : JsonSerializer.Serialize(words, ErasureJson.Default.IReadOnlyListString);

    public static IReadOnlyList<string> ReadWords(string? column) =>
        column is null ? [] : JsonSerializer.Deserialize(column, ErasureJson.Default.IReadOnlyListString)!;
}

/// <summary>Decision about an erasure: the next state, the customer if changed, and whether to send messages at once.</summary>
public sealed record ErasureDecision(Erasure Erasure, Customer? Customer = null, bool Sends = false);

/// <summary>
/// Course of an erasure. Pure. A customer is erased only when three facts hold at one moment: no store credit, no unsettled
/// payment, and the word of order-service that no order is open. order-service marks the id when it agrees, and from the
/// request on the customer accepts neither credit nor payment, so nothing can arrive between the facts and the decision.
/// </summary>
public static class ErasureRules
{
    /// <summary>Pause between questions without an answer.</summary>
    public static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Longer than any transaction: an order accepted just before order-service marked the id is visible after this time, and
    /// its texts are erased by one more question.
    /// </summary>
    public static readonly TimeSpan LateOrders = TimeSpan.FromMinutes(2);

    /// <summary>Requests an erasure of a customer without store credit and unsettled payments.</summary>
    public static ErasureDecision Begin(Customer customer, Guid id, string caller, DateTimeOffset now) => new(
        new Erasure(
            id, customer.Id, caller, now, ErasureStates.Asked, null, 0, null, null,
            Runtime.PersonalWords.Of(customer.Name, customer.Email), OrdersDone: false, NotesDone: false, now, now + AskAgain),
        customer with { ErasureId = id }, Sends: true);

    /// <summary>Applies an answer of order-service; a late answer to an earlier stage changes nothing.</summary>
    /// <param name="erasure">The erasure.</param>
    /// <param name="customer">The customer, locked.</param>
    /// <param name="answer">The answer.</param>
    /// <param name="hasMoney">The customer has store credit or an unsettled payment.</param>
    /// <param name="now">Time of the decision.</param>
    public static ErasureDecision Answer(
        Erasure erasure, Customer customer, CustomerErased answer, bool hasMoney, DateTimeOffset now)
    {
        if (answer.Stage != erasure.Stage) return new(erasure);
        var told = erasure with { OpenOrders = answer.OpenOrders, OpenOrder = answer.OpenOrder };
        switch (erasure.State)
        {
            case ErasureStates.Asked when answer.OpenOrders > 0:
                return new(Ended(told, now), customer with { ErasureId = null });

            case ErasureStates.Asked when hasMoney:
                return new(told with { State = ErasureStates.Withdrawn, AskedAt = now, NextAskAt = now + AskAgain }, Sends: true);

            case ErasureStates.Asked:
                return new(
                    told with { State = ErasureStates.Erased, DecidedAt = now, AskedAt = now, NextAskAt = now + AskAgain },
                    customer with
                    {
                        Name = null, Email = null, Version = customer.Version + 1, UpdatedAt = now, ErasedAt = now,
                    },
                    Sends: true);

            case ErasureStates.Withdrawn:
                return new(Ended(told, now), customer with { ErasureId = null });

            case ErasureStates.Erased:
                // The last question counts when it was asked after all orders accepted in time are visible and have ended.
                var isLast = answer.OpenOrders == 0 && erasure.AskedAt >= erasure.DecidedAt + LateOrders;
                return new(Scheduled(
                    told with { Orders = answer.Orders, OrdersDone = erasure.OrdersDone || isLast },
                    erasure.NotesDone ? now + LateOrders : erasure.NextAskAt));

            default:
                return new(erasure);
        }
    }

    /// <summary>Applies the coordinator's answer: the words are needed no more.</summary>
    public static ErasureDecision NotesErased(Erasure erasure) => erasure is { State: ErasureStates.Erased, NotesDone: false }
        ? new(Scheduled(erasure with { NotesDone = true, Words = [] }, erasure.NextAskAt))
        : new(erasure);

    /// <summary>
    /// Repeats the question, because order-service, or this service, was restored to a moment before an answer. Notes are not
    /// erased a second time: the words are gone.
    /// </summary>
    public static ErasureDecision Again(Erasure erasure, Customer customer, DateTimeOffset now) =>
        erasure.State == ErasureStates.Erased
            ? new(erasure with { OrdersDone = false, AskedAt = now, NextAskAt = now + AskAgain }, customer, Sends: true)
            : new(erasure, customer);

    static Erasure Ended(Erasure erasure, DateTimeOffset now) =>
        erasure with { State = ErasureStates.Refused, DecidedAt = now, Words = [], NextAskAt = null };

    static Erasure Scheduled(Erasure erasure, DateTimeOffset? next) =>
        erasure with { NextAskAt = erasure is { OrdersDone: true, NotesDone: true } ? null : next };
}

[JsonSerializable(typeof(IReadOnlyList<string>))]
sealed partial class ErasureJson : JsonSerializerContext;
