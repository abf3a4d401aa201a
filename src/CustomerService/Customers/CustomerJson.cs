using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Http;

namespace Orderwright.CustomerService.Customers;

/// <summary>Body of <c>PUT /customers/{id}</c>.</summary>
public sealed record CustomerRequest(string Name, string? Email = null);

/// <summary>Body of <c>POST /customers/{id}/credits</c>.</summary>
public sealed record CreditRequest(long Amount, string Currency, string? Reference = null);

/// <summary>A customer in the HTTP API.</summary>
public sealed record CustomerResponse(
    string Id, string Name, string? Email, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public static CustomerResponse Of(Customer customer) => new(
        customer.Id, customer.Name!, customer.Email, customer.Version, customer.CreatedAt, customer.UpdatedAt);
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
[JsonSerializable(typeof(CustomerRequest))]
[JsonSerializable(typeof(CustomerResponse))]
[JsonSerializable(typeof(Page<CustomerResponse>))]
[JsonSerializable(typeof(Page<BalanceResponse>))]
[JsonSerializable(typeof(CreditRequest))]
[JsonSerializable(typeof(CreditResponse))]
public sealed partial class CustomerJson : JsonSerializerContext;
