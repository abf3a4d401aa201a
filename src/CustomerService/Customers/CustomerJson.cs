using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Http;

namespace Orderwright.CustomerService.Customers;

/// <summary>Credit that waits for a second person, as stored.</summary>
public sealed record HeldCredit(string? Reference);

/// <summary>Body of <c>PUT /customers/{id}</c>.</summary>
public sealed record CustomerRequest(
    [Length(1, CustomerApi.MaxNameLength)] string Name,
    [Length(3, CustomerApi.MaxEmailLength), RegularExpression("^[^\\s@]{1,64}@[^\\s@]+$")] string? Email = null);

/// <summary>Body of <c>POST /customers/{id}/credits</c>.</summary>
public sealed record CreditRequest(
    [Range(1, Check.Most)] long Amount, string Currency, [Length(1, CustomerApi.MaxReferenceLength)] string? Reference = null);

/// <summary>A customer in the HTTP API.</summary>
public sealed record CustomerResponse(
    string Id, string Name, string? Email, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public static CustomerResponse Of(Customer customer) => new(
        customer.Id, customer.Name!, customer.Email, customer.Version, customer.CreatedAt, customer.UpdatedAt);
}

/// <summary>Data kept or erased, with the reason.</summary>
public sealed record ErasedDataResponse(string Data, string Why);

/// <summary>
/// Report on an erasure. <paramref name="Complete"/> is false while order-service and saga-coordinator erase their texts, which
/// they do by themselves; the same request returns the state. <paramref name="Orders"/>: number of the customer's orders, null
/// until known.
/// </summary>
public sealed record ErasureResponse(
    string CustomerId, DateTimeOffset ErasedAt, bool Complete, long? Orders, IReadOnlyList<ErasedDataResponse> Erased,
    IReadOnlyList<ErasedDataResponse> Kept)
{
    public static ErasureResponse Of(Erasure erasure) => new(
        erasure.CustomerId, erasure.DecidedAt!.Value, erasure is { OrdersDone: true, NotesDone: true }, erasure.Orders,
        [
            new("name and e-mail address of the customer", "personal data"),
            new("metadata and labels of adjustments of the customer's orders", "free text of the shop"),
            new("notes on incidents of these orders", "free text of operators"),
            new("the name and the address in reasons of operators, in the audit and in payments", "names the person"),
        ],
        [
            new("the customer's id", "the ledger refers to it; it is never used again"),
            new(
                "orders with lines, amounts, references and tracking numbers",
                "accounting, warranty and proof of delivery; a reference is the shop's own number"),
            new("payments, credits and journal", "accounting; the journal cannot be changed"),
            new("who did what to which order, and when (audit)", "accountability of operators"),
            new("gateway events and responses under an Idempotency-Key", "repeats are recognized; deleted after a fixed time"),
        ]);
}

/// <summary>Store credit in one currency, in minor units.</summary>
public sealed record BalanceResponse(string Currency, long Amount);

/// <summary>A top-up in the HTTP API.</summary>
public sealed record CreditResponse(
    Guid Id, string CustomerId, string Currency, long Amount, string? Reference, DateTimeOffset CreatedAt)
{
    public static CreditResponse Of(Credit credit) => new(
        credit.Id, credit.CustomerId, credit.Currency, credit.AmountMinor, credit.Reference, credit.CreatedAt);
}

/// <summary>JSON of customers in the HTTP API.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(HeldCredit))]
[JsonSerializable(typeof(CustomerRequest))]
[JsonSerializable(typeof(CustomerResponse))]
[JsonSerializable(typeof(Page<CustomerResponse>))]
[JsonSerializable(typeof(Page<BalanceResponse>))]
[JsonSerializable(typeof(ErasureResponse))]
[JsonSerializable(typeof(CreditRequest))]
[JsonSerializable(typeof(CreditResponse))]
public sealed partial class CustomerJson : JsonSerializerContext;
