"""What deployments need before there is a site: a bucket for artifacts, and a role for CI."""

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

GITHUB = "token.actions.githubusercontent.com"
"""https://docs.github.com/en/actions/concepts/security/openid-connect"""
BOOTSTRAP_ROLES = "cdk-hnb659fds-*"
"""The roles that `cdk bootstrap` makes, with its default qualifier."""


class Delivery(Stack):
    """The artifact bucket and the role that a GitHub environment of one repository may take.

    `repository` is `owner/name`. An account has one provider for GitHub at most: give its ARN as
    `provider_arn` where it is there already.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        repository: str,
        environment: str,
        provider_arn: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        bucket = self._artifacts()
        provider_arn = provider_arn or self._github()
        role = iam.Role(
            self,
            "Ci",
            description=f"Deployments of {repository} to {environment}",
            max_session_duration=Duration.hours(1),
            assumed_by=iam.WebIdentityPrincipal(
                provider_arn,
                {
                    "StringEquals": {
                        f"{GITHUB}:aud": "sts.amazonaws.com",
                        f"{GITHUB}:sub": f"repo:{repository}:environment:{environment}",
                    }
                },
            ),
        )
        bucket.grant_read(role)
        bucket.grant_put(role)
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["sts:AssumeRole"],
                resources=[
                    self.format_arn(
                        service="iam", region="", resource="role", resource_name=BOOTSTRAP_ROLES
                    )
                ],
            )
        )
        CfnOutput(self, "ArtifactBucket", value=bucket.bucket_name)
        CfnOutput(self, "CiRole", value=role.role_arn)

    def _artifacts(self) -> s3.Bucket:
        return s3.Bucket(
            self,
            "Artifacts",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[
                s3.LifecycleRule(
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                    noncurrent_version_expiration=Duration.days(30),
                )
            ],
        )

    def _github(self) -> str:
        provider = iam.CfnOIDCProvider(
            self, "GitHub", url=f"https://{GITHUB}", client_id_list=["sts.amazonaws.com"]
        )
        return provider.attr_arn
