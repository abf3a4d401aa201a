using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Http;
using Orderwright.SagaCoordinator.Process;

namespace Orderwright.SagaCoordinator.Overview;

/// <summary>Open orders by version and step.</summary>
/// <param name="Version">Version of new orders.</param>
/// <param name="Hash">SHA-256 of the process of new orders, in hex.</param>
/// <param name="Lines">Open orders, counted up to 20,000.</param>
public sealed record ProcessCensus(int Version, string Hash, IReadOnlyList<CensusLine> Lines);

/// <summary>HTTP API of the process as a file.</summary>
public sealed class ProcessApi(ProcessVersions versions)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        var process = routes.MapGroup("/api/v1/process").WithTags("sagas").Require(Scopes.OperatorRead);
        process.MapGet("", Get).WithName("getProcess").WithSummary("Process of new orders, as a file")
            .Produces<object>(StatusCodes.Status200OK, "application/json");
        process.MapGet("/census", (Delegate)CensusAsync).WithName("getProcessCensus")
            .WithSummary("Open orders by version and step").Produces<ProcessCensus>();
    }

    Answer Get() => new(StatusCodes.Status200OK, Encoding.UTF8.GetBytes(versions.CurrentFile.Json), "application/json");

    async Task<IResult> CensusAsync(HttpContext http) => Answer.Json(
        StatusCodes.Status200OK,
        new ProcessCensus(
            versions.Current.Version, versions.CurrentFile.Hash,
            await versions.CensusAsync(Caller.Of(http).Channels, http.RequestAborted)),
        SagaJson.Default.ProcessCensus);
}
