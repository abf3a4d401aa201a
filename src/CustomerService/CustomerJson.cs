using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.CustomerService.Commands;
using Orderwright.CustomerService.Customers;
using Orderwright.CustomerService.Reconciliation;
using Orderwright.Http;

namespace Orderwright.CustomerService;

/// <summary>Body of <c>PUT /customers/{id}</c>.</summary>
public sealed record CustomerBody(string Name, string? Email = null);

/// <summary>Body of <c>POST /customers/{id}/credits</c>.</summary>
public sealed record CreditBody(long Amount, string Currency, string? Reference = null);

/// <summary>A customer as the API tells it.</summary>
public sealed record CustomerView(
    string Id, string Name, string? Email, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public static CustomerView Of(Customer customer) => new(
        customer.Id, customer.Name!, customer.Email, customer.Version, customer.CreatedAt, customer.UpdatedAt);
}

/// <summary>Store credit in one currency, in minor units.</summary>
public sealed record BalanceView(string Currency, long Amount);

/// <summary>A top-up as the API tells it.</summary>
public sealed record CreditView(
    Guid Id, string CustomerId, string Currency, long Amount, string? Reference, DateTimeOffset CreatedAt)
{
    public static CreditView Of(Credit credit) => new(
        credit.Id, credit.CustomerId, credit.Currency, credit.AmountMinor, credit.Reference, credit.CreatedAt);
}

/// <summary>JSON of the API.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    AllowDuplicateProperties = false,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(CustomerBody))]
[JsonSerializable(typeof(CreditBody))]
[JsonSerializable(typeof(CustomerView))]
[JsonSerializable(typeof(Page<CustomerView>))]
[JsonSerializable(typeof(Page<BalanceView>))]
[JsonSerializable(typeof(CreditView))]
[JsonSerializable(typeof(PaymentView))]
[JsonSerializable(typeof(CaptureBody))]
[JsonSerializable(typeof(VoidBody))]
[JsonSerializable(typeof(RefundBody))]
[JsonSerializable(typeof(ResolveBody))]
[JsonSerializable(typeof(Page<PaymentView>))]
[JsonSerializable(typeof(ReconciliationBody))]
[JsonSerializable(typeof(ReconciliationView))]
[JsonSerializable(typeof(Page<ReconciliationView>))]
[JsonSerializable(typeof(Page<DifferenceView>))]
[JsonSerializable(typeof(Page<ProviderView>))]
public sealed partial class CustomerJson : JsonSerializerContext;
