using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Runtime.Database;
using Orderwright.Http;

namespace Orderwright.CustomerService.Customers;

/// <summary>Customers, their balances and credits over HTTP: <c>/api/v1/customers</c>.</summary>
public sealed partial class CustomerApi(IDatabase database, SqlCatalog sql, ChangeCustomers changes)
{
    const int MaxNameLength = 200;
    const int MaxEmailLength = 254;
    const int MaxReferenceLength = 200;

    public void Map(IEndpointRouteBuilder routes)
    {
        var customers = routes.MapGroup("/api/v1/customers").WithTags("customers").Require(Scopes.Payments);
        customers.MapGet("", (Delegate)ListAsync).WithName("listCustomers").Lists().Produces<Page<CustomerResponse>>();
        customers.MapGet("/{id}", GetAsync).WithName("getCustomer").Produces<CustomerResponse>();
        customers.MapPut("/{id}", PutAsync).WithName("putCustomer")
            .Accepts<CustomerRequest>("application/json")
            .Produces<CustomerResponse>().Produces<CustomerResponse>(StatusCodes.Status201Created);
        customers.MapDelete("/{id}", EraseAsync).WithName("eraseCustomer").Produces(StatusCodes.Status204NoContent);
        customers.MapGet("/{id}/balances", BalancesAsync).WithName("listBalances").Produces<Page<BalanceResponse>>();
        customers.MapPost("/{id}/credits", CreditAsync).WithName("addCredit")
            .Accepts<CreditRequest>("application/json").Produces<CreditResponse>(StatusCodes.Status201Created);
    }

    async Task<IResult> ListAsync(HttpContext http)
    {
        var query = new ListQuery(http);
        if (query.Refusal is { } refusal) return refusal;
        var customers = await database.ReadAsync(
            read => read.QueryAsync(
                sql["list_customers"], SqlArgs.With("after", query.Position ?? "").And("most", query.Limit + 1),
                row => CustomerResponse.Of(CustomerStore.ReadCustomer(row)), http.RequestAborted),
            http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK, Pages.Of(customers, query.Limit, customer => customer.Id),
            CustomerJson.Default.PageCustomerResponse);
    }

    async Task<IResult> GetAsync(string id, HttpContext http)
    {
        if (new Check().Id("id", id).Refusal is { } refusal) return refusal;
        return await database.ReadAsync(read => FindAsync(read, id, http), http.RequestAborted) is { } customer
            ? CustomerRules.Respond(StatusCodes.Status200OK, customer)
            : Problem.NotFound("customer");
    }

    async Task<IResult> PutAsync(string id, HttpContext http)
    {
        var (command, refusal) = await Http.Commands.ReadAsync(http, CustomerJson.Default.CustomerRequest);
        if (command is null) return refusal!;
        var (name, email) = command.Body;
        var check = new Check().Id("id", id).Text("/name", name, MaxNameLength);
        if (email is not null && (email.Length > MaxEmailLength || !LooseEmail().IsMatch(email)))
            check.Fail("/email", "invalid_email", $"An e-mail address of at most {MaxEmailLength} characters.");
        return check.Refusal ?? await changes.SubmitAsync(command.For<CustomerRequest, CustomerChange>(
            new CustomerChange.Put(id, name, email, Precondition.Read(http))));
    }

    async Task<IResult> EraseAsync(string id, HttpContext http)
    {
        if (new Check().Id("id", id).Refusal is { } invalid) return invalid;
        var (command, refusal) = Http.Commands.WithoutBody<CustomerChange>(
            http, new CustomerChange.Erase(id, Precondition.Read(http)));
        return command is null ? refusal! : await changes.SubmitAsync(command);
    }

    async Task<IResult> BalancesAsync(string id, HttpContext http)
    {
        if (new Check().Id("id", id).Refusal is { } refusal) return refusal;
        var balances = await database.ReadAsync(
            async read => await FindAsync(read, id, http) is null
                ? null
                : await read.QueryAsync(
                    sql["list_balances"], SqlArgs.With("customer_id", id),
                    row => new BalanceResponse(row.Text("currency"), row.BigInt("amount")), http.RequestAborted),
            http.RequestAborted);
        return balances is null
            ? Problem.NotFound("customer")
            : Answer.Json(StatusCodes.Status200OK, new(balances, null), CustomerJson.Default.PageBalanceResponse);
    }

    async Task<IResult> CreditAsync(string id, HttpContext http)
    {
        var (command, refusal) = await Http.Commands.ReadAsync(http, CustomerJson.Default.CreditRequest);
        if (command is null) return refusal!;
        var (amount, currency, reference) = command.Body;
        var check = new Check().Id("id", id)
            .Range("/amount", amount, 1, Check.Most)
            .Currency("/currency", currency)
            .OptionalReference("/reference", reference, MaxReferenceLength);
        return check.Refusal ?? await changes.SubmitAsync(command.For<CreditRequest, CustomerChange>(
            new CustomerChange.AddCredit(id, currency, amount, reference)));
    }

    async Task<Customer?> FindAsync(IQueries read, string id, HttpContext http) =>
        (await read.QueryAsync(
            sql["find_customer"], SqlArgs.With("id", id), CustomerStore.ReadCustomer, http.RequestAborted))
        .SingleOrDefault();

    // Only a delivered message proves an address, so the check is loose.
    [GeneratedRegex(@"^[^\s@\p{C}]{1,64}@[^\s@\p{C}]+$")]
    private static partial Regex LooseEmail();
}
