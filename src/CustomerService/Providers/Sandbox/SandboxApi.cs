using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Http;

namespace Orderwright.CustomerService.Providers.Sandbox;

/// <summary>Page of the sandbox's bank: any caller that knows an order's id acts as its customer.</summary>
public sealed class SandboxApi(SandboxProvider sandbox)
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/v1/sandbox/actions/{orderId}", ActAsync).WithName("takeSandboxAction")
            .WithTags("sandbox").WithSummary("Approve or refuse a charge, as the customer at the bank").OpenToAll()
            .Accepts<SandboxActionRequest>("application/json").Produces<SandboxActionResponse>();

    async Task<IResult> ActAsync(string orderId, HttpContext http)
    {
        var (id, refusal) = RouteId.Read(orderId, "orderId");
        if (id is null) return refusal!;
        var body = await StrictJson.ReadAsync(http, SandboxJson.Default.SandboxActionRequest);
        if (body.Refusal is not null) return body.Refusal;
        return await sandbox.ActAsync(id.Value, body.Value!.Approve) switch
        {
            null => Problem.NotFound("charge"),
            { Result: null, Charge: { } settled } =>
                Problem.Conflict("not_waiting", $"No action is required; the charge is {settled.State}."),
            var acted => Answer.Json(
                StatusCodes.Status200OK, new(id.Value, acted.Charge!.State), SandboxJson.Default.SandboxActionResponse),
        };
    }
}
